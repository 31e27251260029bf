using System.Globalization;
using System.Runtime.InteropServices;

namespace Native.LibUsb.Testing;

/// <summary>Represents signals that interrupt every other thread of the process again and again, so that system calls that wait end with EINTR.</summary>
/// <remarks>
/// The handler of the signal does nothing. System calls that Linux restarts after a signal are restarted; <c>poll</c>, in which libusb waits, never is. A
/// submission that fails with EINTR is a <see cref="FaultRule"/> of the kind <see cref="FaultKind.Refuse"/>.
/// </remarks>
public sealed class SignalStorm : IDisposable
{
    private const int Signal = 45; // a real-time signal that neither .NET nor libc uses
    private const nint Ignore = 1;

    private readonly Thread _thread;
    private readonly TimeSpan _pause;
    private long _interruptions;
    private readonly ManualResetEventSlim _end = new();

    /// <summary>Starts to interrupt the threads of the process.</summary>
    /// <param name="pause">The time between two rounds; each round interrupts every thread once.</param>
    /// <exception cref="PlatformNotSupportedException">The system is not Linux.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="pause"/> is negative.</exception>
    public SignalStorm(TimeSpan pause)
    {
        if (!OperatingSystem.IsLinux())
            throw new PlatformNotSupportedException("Signals to threads need Linux.");
        ArgumentOutOfRangeException.ThrowIfLessThan(pause, TimeSpan.Zero);
        _pause = pause;
        // A function that may be called in a signal handler, takes an int, and does nothing else.
        nint libc = NativeLibrary.Load("libc.so.6");
        if (Libc.HandleSignal(Signal, NativeLibrary.GetExport(libc, "abs")) == -1)
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
            foreach (string folder in Directory.GetDirectories("/proc/self/task"))
            {
                int thread = int.Parse(Path.GetFileName(folder), CultureInfo.InvariantCulture);
                if (thread != self && Libc.SendSignal(Environment.ProcessId, thread, Signal) == 0)
                    Interlocked.Increment(ref _interruptions);
            }
        }
    }
}
