using Usbcap.Capture;

namespace Usbcap.Output;

/// <summary>Writes what is in the ring, on a thread of its own: a disk may take its time.</summary>
internal sealed class WriterThread : IDisposable
{
    // How long data of a slow device may wait for its block to be full.
    private const int PatienceMilliseconds = 100;

    private readonly BlockRing _ring;
    private readonly CaptureSink _sink;
    private readonly CaptureSession _session;
    private readonly Thread _thread;

    // Set when the thread has waited for data once: what the runtime needs for that is made before the capture begins.
    private readonly ManualResetEventSlim _ready = new();

    public WriterThread(BlockRing ring, CaptureSink sink, CaptureSession session)
    {
        _ring = ring;
        _sink = sink;
        _session = session;
        _thread = new Thread(Run) { Name = "usbcap writer", IsBackground = true };
        _thread.Start();
        _ready.Wait();
    }

    /// <summary>Writes the rest and ends. The session must be at rest.</summary>
    public void Finish()
    {
        _ring.Complete();
        _thread.Join();
    }

    /// <summary>As <see cref="Finish"/>.</summary>
    public void Dispose()
    {
        Finish();
        _ready.Dispose();
    }

    private void Run()
    {
        _ring.Take(1, out _, out _);
        _ready.Set();
        bool failed = false;
        while (_ring.Take(PatienceMilliseconds, out int block, out ReadOnlySpan<byte> data))
        {
            if (block < 0)
                continue;
            if (!failed)
            {
                try
                {
                    _sink.Write(data);
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException or ObjectDisposedException)
                {
                    failed = true;
                    _session.OnOutputFailed();
                    _session.Fail(new FailureException(ExitCode.Output, $"cannot write {_sink.Name}: {e.Message}", e));
                }
            }

            _ring.Return(block);
            _session.OnRoom();
        }
    }
}
