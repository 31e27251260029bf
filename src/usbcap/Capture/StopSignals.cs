using System.Runtime.InteropServices;

namespace Usbcap.Capture;

/// <summary>
/// Ends the capture and completes its output on Ctrl-C, on SIGTERM, and when the terminal is closed. A second signal ends the program immediately. While
/// this object exists, the signal SIGXFSZ does not end the process. A write beyond the file size limit fails with an error instead.
/// </summary>
internal sealed class StopSignals : IDisposable
{
    private const PosixSignal FileSizeLimit = (PosixSignal)25; // SIGXFSZ on Linux and macOS

    private readonly List<PosixSignalRegistration> _registrations = [];
    private readonly CaptureSession _session;
    private int _received;

    public StopSignals(CaptureSession session)
    {
        _session = session;
        foreach (PosixSignal signal in (ReadOnlySpan<PosixSignal>)[PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP])
            _registrations.Add(PosixSignalRegistration.Create(signal, OnSignal));
        if (!OperatingSystem.IsWindows())
            _registrations.Add(PosixSignalRegistration.Create(FileSizeLimit, context => context.Cancel = true));
    }

    /// <summary>Gets whether a signal has been received.</summary>
    public bool Received => Volatile.Read(ref _received) != 0;

    public void Dispose() => _registrations.ForEach(registration => registration.Dispose());

    private void OnSignal(PosixSignalContext context)
    {
        if (Interlocked.Increment(ref _received) > 1)
            return; // the system's default action ends the program
        context.Cancel = true;
        _session.Stop();
    }
}
