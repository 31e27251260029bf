using Native.LibUsb.Streaming;
using Usbcap.Capture;

namespace Usbcap.Output;

/// <summary>Takes what the ring brings and writes it, on a thread of its own: a disk may take its time, and then it waits in the ring.</summary>
internal sealed class WriterThread : IDisposable
{
    // How long data of a slow device may wait for its block to be full.
    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(100);

    private readonly CaptureSession _session;
    private readonly CaptureSink _sink;
    private readonly OutputBlock _block;
    private readonly Recorder _recorder;
    private readonly Thread _thread;

    // Set when the thread has waited once: what the runtime needs for that is made before the capture begins.
    private readonly ManualResetEventSlim _ready = new();
    private readonly AutoResetEvent _begin = new(false);

    public WriterThread(CaptureSession session, CaptureRequest request, CaptureSink sink)
    {
        _session = session;
        _sink = sink;
        _block = new OutputBlock(sink);
        _recorder = new Recorder(session, request, _block);
        _thread = new Thread(Run) { Name = "usbcap writer", IsBackground = true };
        _thread.Start();
        _ready.Wait();
    }

    /// <summary>Starts to write, after the session is started.</summary>
    public void Begin() => _begin.Set();

    /// <summary>Waits until all is written. The session must be at rest.</summary>
    public void Finish() => _thread.Join();

    /// <summary>Finishes as <see cref="Finish"/> does, also when the thread was not started.</summary>
    public void Dispose()
    {
        Begin();
        Finish();
        _ready.Dispose();
        _begin.Dispose();
    }

    private void Run()
    {
        _begin.WaitOne(1);
        _ready.Set();
        _begin.WaitOne();
        try
        {
            Write();
        }
        catch (Exception e) // on a thread of its own: what is not caught ends the program
        {
            _session.Fail(new FailureException(ExitCode.Output, $"cannot write {_sink.Name}: {e.Message}", e));
        }
    }

    private void Write()
    {
        _recorder.WriteFileHeader();
        bool ended = false;
        while (!ended && !_session.LimitReached)
        {
            TimeSpan left = s_patience - _block.Age;
            if (_session.TryTake(left > TimeSpan.Zero ? left : TimeSpan.Zero, out UsbInputBuffer buffer, out ended))
            {
                _recorder.Take(buffer);
                buffer.Dispose();
            }

            if (_block.Age >= s_patience)
                _block.Flush();
        }

        _block.Flush();
    }
}
