namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Runs two actions at the same moment on two threads, any number of times.</summary>
internal sealed class Racer : IDisposable
{
    private readonly Barrier _start = new(2), _finish = new(2);
    private readonly Random _random = new(20260101);
    private readonly Thread _thread;
    private Action? _action;
    private int _delay;
    private int _ready;
    private Exception? _failure;

    public Racer()
    {
        _thread = new Thread(Run) { IsBackground = true };
        _thread.Start();
    }

    /// <summary>
    /// Runs one action on this thread and the other action on a second thread, and returns when both actions have ended. A random delay determines which action
    /// begins first.
    /// </summary>
    /// <exception cref="AggregateException">An action threw an exception that is not a refusal.</exception>
    public void Race(Action one, Action other)
    {
        int head = _random.Next(-30, 30);
        _action = one;
        _delay = Math.Max(0, head);
        _ready = 0;
        _start.SignalAndWait();
        Exception? failure = Do(other, delay: Math.Max(0, -head));
        _finish.SignalAndWait();
        Exception[] failures = [.. new[] { failure, _failure }.OfType<Exception>()];
        if (failures.Length > 0)
            throw new AggregateException(failures);
    }

    public void Dispose()
    {
        _action = null;
        _start.SignalAndWait();
        _thread.Join();
        _start.Dispose();
        _finish.Dispose();
    }

    /// <summary>Runs an action and ignores a refusal, because the other action may have run first. Other exceptions are failures.</summary>
    public static void Try(Action action)
    {
        try
        {
            action();
        }
        catch (Exception refusal) when (refusal is ObjectDisposedException or InvalidOperationException or UsbException)
        {
            // The other action ran first.
        }
    }

    private Exception? Do(Action action, int delay)
    {
        // The barrier may wake one thread much earlier than the other. The threads therefore wait for each other again here.
        Interlocked.Increment(ref _ready);
        var wait = default(SpinWait);
        while (Volatile.Read(ref _ready) < 2)
            wait.SpinOnce(sleep1Threshold: -1);
        Thread.SpinWait(delay);
        try
        {
            Try(action);
            return null;
        }
        catch (Exception failure)
        {
            return failure;
        }
    }

    private void Run()
    {
        while (true)
        {
            _start.SignalAndWait();
            if (_action is not { } action)
                return;
            _failure = Do(action, _delay);
            _finish.SignalAndWait();
        }
    }
}
