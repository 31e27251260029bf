using System.Runtime.InteropServices;

namespace Usbcap.Capture;

/// <summary>
/// Represents Ctrl-C, SIGTERM and a closed terminal, which end the capture cleanly. A second signal ends the program at once. While the object exists, a write beyond
/// the limit of a file's size fails with an error, and no signal kills the process.
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

    /// <summary>Gets whether one of them came.</summary>
    public bool Received => Volatile.Read(ref _received) != 0;

    public void Dispose() => _registrations.ForEach(registration => registration.Dispose());

    private void OnSignal(PosixSignalContext context)
    {
        if (Interlocked.Increment(ref _received) > 1)
            return; // the system's own treatment: it ends the program
        context.Cancel = true;
        _session.Stop();
    }
}
