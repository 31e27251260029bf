namespace Native.LibUsb;

/// <summary>
/// Starts a context's event thread when the program's own threads have stopped handling its events and an awaitable operation still waits for some. It looks
/// a few times a second, and only while something waits.
/// </summary>
internal sealed class EventLapseWatch(UsbContext context) : IDisposable
{
    /// <summary>The longest pause of a program's own event loop that is not taken for its end.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    private readonly WeakReference<UsbContext> _context = new(context);
    private readonly Lock _change = new();
    private Timer? _timer;
    private int _wasAsked;

    /// <summary>Begins to look, unless it does already. The operation that asks for it may be submitted a little later.</summary>
    public void Arm()
    {
        Interlocked.Exchange(ref _wasAsked, 1); // a full fence: the timer is looked at afterwards
        if (Volatile.Read(ref _timer) is not null)
            return;
        lock (_change)
            _timer ??= new Timer(static self => ((EventLapseWatch)self!).Look(), this, Pause, Pause);
    }

    public void Dispose()
    {
        lock (_change)
        {
            _timer?.Dispose();
            _timer = null;
        }
    }

    private void Look()
    {
        bool wasAsked = Interlocked.Exchange(ref _wasAsked, 0) != 0;
        if (!_context.TryGetTarget(out UsbContext? context))
        {
            Dispose();
        }
        else if (context.HasAwaiters ? context.StartEventThreadAfterLapse() : !wasAsked)
        {
            Dispose();
            if (Volatile.Read(ref _wasAsked) != 0 && !context.HasEventThread)
                Arm(); // an operation found the timer just before the watch ended
        }
    }
}
