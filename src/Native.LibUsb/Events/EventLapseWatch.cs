namespace Native.LibUsb;

/// <summary>
/// Starts a context's event thread if an awaitable operation waits for events and the program's own threads no longer handle events. While an operation waits,
/// a timer checks twice a second whether a thread handles events.
/// </summary>
internal sealed class EventLapseWatch(UsbContext context) : IDisposable
{
    /// <summary>The time without event handling after which the program's own event loop counts as ended.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    // The timer stops after this many checks that found no waiting operation. Each call of Arm restarts the count. One check is not enough, because an
    // operation calls Arm before it begins to wait.
    private const int IdleLooks = 4;

    private readonly WeakReference<UsbContext> _context = new(context);
    private readonly Lock _change = new();
    private Timer? _timer;
    private int _looksLeft;

    /// <summary>Starts the timer, or keeps it running.</summary>
    public void Arm()
    {
        Interlocked.Exchange(ref _looksLeft, IdleLooks); // a full fence, because Look removes the timer before it reads this field again
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
                Start(); // Arm found the old timer just before it was removed, and did not start a new one
        }
    }
}
