using System.Globalization;
using System.Runtime.InteropServices;

namespace Native.LibUsb.Testing;

/// <summary>Represents signals that interrupt every other thread of the process again and again, so that system calls that wait end with EINTR.</summary>
/// <remarks>
/// The handler of the signal does nothing, or sleeps. System calls that Linux restarts after a signal are restarted; <c>poll</c>, in which libusb waits, never is. A
/// submission that fails with EINTR is a <see cref="FaultRule"/> of the kind <see cref="FaultKind.Refuse"/>. Attach devices before the storm: on some file systems
/// each signal restarts the creation of a folder, which then never ends.
/// </remarks>
public sealed unsafe class SignalStorm : IDisposable
{
    private const int Signal = 45; // a real-time signal that neither .NET nor libc uses
    private const nint Ignore = 1;
    private const int MostPauses = 50; // that the storm waits for handlers

    private readonly Thread _thread;
    private readonly TimeSpan _pause;
    private readonly ulong* _handled; // in the library of the virtual bus, which is never unloaded; null if the threads do not sleep
    private long _interruptions;
    private readonly ManualResetEventSlim _end = new();

    /// <summary>Starts to interrupt the threads of the process.</summary>
    /// <param name="pause">The time between two rounds, in which the threads run; each round interrupts every thread once.</param>
    /// <param name="delay">
    /// The longest time that an interrupted thread sleeps, less than 1 second; each sleep has a random length. Other threads then overtake it at an arbitrary place, so
    /// that races become visible. With zero the threads do not sleep.
    /// </param>
    /// <exception cref="PlatformNotSupportedException">The system is not Linux, or <paramref name="delay"/> needs the library of the virtual bus and the process cannot load it.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="pause"/> or <paramref name="delay"/> is out of range.</exception>
    public SignalStorm(TimeSpan pause, TimeSpan delay = default)
    {
        if (!OperatingSystem.IsLinux())
            throw new PlatformNotSupportedException("Signals to threads need Linux.");
        ArgumentOutOfRangeException.ThrowIfLessThan(pause, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(delay, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(delay, TimeSpan.FromSeconds(1));
        _pause = pause;
        // abs may be called in a signal handler, takes an int, and does nothing else.
        nint handler = delay > TimeSpan.Zero ? PreloadLibrary.Delay(delay, out _handled) : NativeLibrary.GetExport(NativeLibrary.Load("libc.so.6"), "abs");
        if (Libc.HandleSignal(Signal, handler) == -1)
            throw new PlatformNotSupportedException("The handler of the signal cannot be set.");
        _thread = new Thread(Run) { IsBackground = true, Name = "signal-storm" };
        _thread.Start();
    }

    /// <summary>Gets the number of signals that were sent.</summary>
    public long Interruptions => Volatile.Read(ref _interruptions);

    /// <summary>Ends the storm.</summary>
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

    // Signals queue: on a busy machine, a thread that sleeps longer than the pause would do nothing but sleep. A thread that has ended handles no signal, so the
    // wait has an end.
    private void WaitForHandlers(ulong handled)
    {
        int pauses = 0;
        while (Handled < handled && pauses < MostPauses && !_end.Wait(_pause))
            pauses++;
    }

    private ulong Handled => _handled is null ? 0 : Volatile.Read(ref *_handled);
}
