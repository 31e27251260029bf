using System.Globalization;
using System.Runtime.InteropServices;

namespace Native.LibUsb.Testing;

/// <summary>Sends signals to all other threads of the process at short intervals, so that system calls such as <c>poll</c> fail with EINTR.</summary>
/// <remarks>
/// If the constructor's argument <c>delay</c> is zero, the signal handler does nothing. Otherwise, it sleeps. libusb waits for events in <c>poll</c>. Linux
/// never restarts <c>poll</c> after a signal, so the signals interrupt these waits. Linux does restart most other system calls, so submissions do not fail. To
/// make a submission fail with EINTR, use a <see cref="FaultRule"/> of the kind <see cref="FaultKind.Refuse"/>. Attach devices before you start the signals. To
/// attach a device, the bus creates directories. On some file systems, a signal makes <c>mkdir</c> start again, so frequent signals could prevent the call from
/// ever finishing.
/// </remarks>
public sealed unsafe class SignalStorm : IDisposable
{
    private const int Signal = 45; // a real-time signal that neither .NET nor libc uses
    private const nint Ignore = 1;
    private const int MostPauses = 50; // the maximum number of pauses to wait for the handlers

    private readonly Thread _thread;
    private readonly TimeSpan _pause;
    private readonly ulong* _handled; // points into the preload library, which is never unloaded; null if the threads do not sleep
    private long _interruptions;
    private readonly ManualResetEventSlim _end = new();

    /// <summary>Initializes a new instance of the <see cref="SignalStorm"/> class and starts to send signals.</summary>
    /// <param name="pause">The time between two rounds. Each round sends one signal to every other thread.</param>
    /// <param name="delay">
    /// The maximum time that an interrupted thread sleeps. It must be less than 1 second. Each sleep has a random length. The other threads continue during
    /// the sleep, so race conditions become visible. With zero, the threads do not sleep.
    /// </param>
    /// <exception cref="PlatformNotSupportedException">The system is not Linux. The constructor also throws this exception if <paramref name="delay"/> is not
    /// zero and the process cannot load the preload library.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="pause"/> or <paramref name="delay"/> is out of range.</exception>
    public SignalStorm(TimeSpan pause, TimeSpan delay = default)
    {
        if (!OperatingSystem.IsLinux())
            throw new PlatformNotSupportedException("Signals to threads need Linux.");
        ArgumentOutOfRangeException.ThrowIfLessThan(pause, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(delay, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(delay, TimeSpan.FromSeconds(1));
        _pause = pause;
        // The C function abs serves as the empty handler: it takes an int, has no side effects, and is safe in a signal handler.
        nint handler = delay > TimeSpan.Zero ? PreloadLibrary.Delay(delay, out _handled) : NativeLibrary.GetExport(NativeLibrary.Load("libc.so.6"), "abs");
        if (Libc.HandleSignal(Signal, handler) == -1)
            throw new PlatformNotSupportedException("The handler of the signal cannot be set.");
        _thread = new Thread(Run) { IsBackground = true, Name = "signal-storm" };
        _thread.Start();
    }

    /// <summary>Gets the number of signals that were sent.</summary>
    public long Interruptions => Volatile.Read(ref _interruptions);

    /// <summary>Stops sending signals.</summary>
    public void Dispose()
    {
        _end.Set();
        _thread.Join();
        _end.Dispose();
        _ = Libc.HandleSignal(Signal, Ignore);
    }

    private void Run()
    {
        int self = Libc.CurrentThread();
        while (!_end.Wait(_pause))
        {
            ulong handled = Handled, sent = 0;
            foreach (string folder in Directory.GetDirectories("/proc/self/task"))
            {
                int thread = int.Parse(Path.GetFileName(folder), CultureInfo.InvariantCulture);
                if (thread == self || Libc.SendSignal(Environment.ProcessId, thread, Signal) != 0)
                    continue;
                sent++;
                Interlocked.Increment(ref _interruptions);
            }

            if (_handled is not null)
                WaitForHandlers(handled + sent);
        }
    }

    // Waits until the threads have handled their signals. Unhandled signals are queued, so without this wait, a thread on a busy machine could spend all its
    // time in the handler. A thread that has ended never handles its signal, so the wait stops after a fixed number of pauses.
    private void WaitForHandlers(ulong handled)
    {
        int pauses = 0;
        while (Handled < handled && pauses < MostPauses && !_end.Wait(_pause))
            pauses++;
    }

    private ulong Handled => _handled is null ? 0 : Volatile.Read(ref *_handled);
}
