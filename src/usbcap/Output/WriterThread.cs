using Native.LibUsb.Streaming;
using Usbcap.Capture;

namespace Usbcap.Output;

/// <summary>Writes the data of the ring on a separate thread. While a slow disk blocks this thread, the data waits in the ring.</summary>
internal sealed class WriterThread : IDisposable
{
    // The maximum time that data of a slow device waits for its block to fill.
    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(100);

    private readonly CaptureSession _session;
    private readonly CaptureSink _sink;
    private readonly OutputBlock _block;
    private readonly Recorder _recorder;
    private readonly Thread _thread;

    // The event is set after the thread has waited once. After this first wait, the runtime allocates nothing for the waits of the thread during the capture.
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

    /// <summary>Makes the thread start to write. The caller has started the session.</summary>
    public void Begin() => _begin.Set();

    /// <summary>Waits until all data has been written. The caller has stopped the session.</summary>
    public void Finish() => _thread.Join();

    /// <summary>Waits until the thread has ended, even if <see cref="Begin"/> has not been called.</summary>
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
        catch (Exception e) // an unhandled exception on this thread would end the program
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
