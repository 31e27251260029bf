namespace Native.LibUsb;

/// <summary>
/// Starts a context's event thread when the program's own threads have stopped handling its events and an awaitable operation still waits for some. It looks
/// a few times a second, and only while something waits.
/// </summary>
internal sealed class EventLapseWatch(UsbContext context) : IDisposable
{
    /// <summary>The longest pause of a program's own event loop that is not taken for its end.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    // The watch goes on for some time when nothing waits: an operation arms it first and begins to wait afterwards.
    private const int IdleLooks = 4;

    private readonly WeakReference<UsbContext> _context = new(context);
    private readonly Lock _change = new();
    private Timer? _timer;
    private int _looksLeft;

    /// <summary>Begins to look, or goes on.</summary>
    public void Arm()
    {
        Interlocked.Exchange(ref _looksLeft, IdleLooks); // a full fence: the watch takes its timer away first, and looks here afterwards
        if (Volatile.Read(ref _timer) is null)
            Start();
    }

    public void Dispose()
    {
        lock (_change)
        {
            _timer?.Dispose();
            _timer = null;
        }
    }

    private void Start()
    {
        lock (_change)
            _timer ??= new Timer(static self => ((EventLapseWatch)self!).Look(), this, Pause, Pause);
    }

    private void Look()
    {
        if (!_context.TryGetTarget(out UsbContext? context))
        {
            Dispose();
        }
        else if (context.HasAwaiters)
        {
            if (context.StartEventThreadAfterLapse())
                Dispose();
        }
        else if (Interlocked.Decrement(ref _looksLeft) <= 0)
        {
            Dispose();
            Interlocked.MemoryBarrier();
            if (Volatile.Read(ref _looksLeft) > 0)
                Start(); // the watch was started again in the meantime
        }
    }
}
