using System.Runtime.CompilerServices;

namespace Native.LibUsb;

/// <summary>
/// A thread that handles the events of one context until it is disposed. It keeps the context open while it runs, survives signals, and
/// never keeps the process from ending. Made by <see cref="UsbContext.StartEventThread"/>.
/// </summary>
public sealed unsafe class UsbEventThread : IDisposable, IAsyncDisposable
{
    private readonly UsbContext _context;
    private readonly Thread _thread;

    // libusb's "completed" flag, which libusb reads while the thread waits: in an array that does not move.
    private readonly int[] _stopFlag = GC.AllocateArray<int>(1, pinned: true);

    internal UsbEventThread(UsbContext context, UsbEventThreadOptions options)
    {
        _context = context;
        _thread = new Thread(Run) { Name = options.Name, IsBackground = true };
        _thread.Start();
    }

    /// <summary>Whether it still handles events.</summary>
    public bool IsRunning => _thread.IsAlive && Volatile.Read(ref _stopFlag[0]) == 0;

    /// <summary>Why it gave up, when libusb could not wait for events any more; otherwise null.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>Whether the caller is this thread.</summary>
    internal bool IsCurrent => Thread.CurrentThread == _thread;

    /// <summary>
    /// Stops it and waits until its last callback has returned. From a callback it stops after that callback, and this call does not wait.
    /// May be called more than once.
    /// </summary>
    public void Dispose()
    {
        Stop();
        if (!IsCurrent)
            _thread.Join();
    }

    /// <summary>As <see cref="Dispose"/>, but the waiting is done on the thread pool.</summary>
    /// <returns>Ends when its last callback has returned.</returns>
    public ValueTask DisposeAsync()
    {
        Stop();
        return new ValueTask(Task.Run(_thread.Join));
    }

    private void Stop()
    {
        LogScope.ThrowIfInside();
        Volatile.Write(ref _stopFlag[0], 1);
        _context.InterruptEventHandlers(); // sticky: if the thread is not waiting yet, it will not begin to
    }

    private void Run()
    {
        while (Volatile.Read(ref _stopFlag[0]) == 0)
        {
            int result;
            try
            {
                result = _context.Pump(null, (int*)Unsafe.AsPointer(ref _stopFlag[0]));
            }
            catch (ObjectDisposedException)
            {
                return; // a callback disposed the context: that is a way to stop
            }

            if (result < 0)
            {
                Failure = new UsbException((UsbError)result, "handle events");
                Volatile.Write(ref _stopFlag[0], 1);
                _context.ReportCallbackException(this, Failure);
            }

            _context.ThrowCallbackExceptions(); // nobody subscribed: as on any thread, that ends the process
        }
    }
}
