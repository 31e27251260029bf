namespace Native.LibUsb;

/// <summary>
/// Represents the time during which libusb handles a context's events on this thread, or calls one of the context's notifiers for file descriptors on this
/// thread. During this time, this thread runs the program's code only in callbacks. In a callback, a program must not open or close devices, make synchronous
/// transfers or handle events, because libusb would deadlock or return BUSY.
/// </summary>
internal readonly ref struct CallbackScope
{
    [ThreadStatic]
    private static ContextHandle? t_innermost;

    // The outer contexts, if a callback of one context handles the events of another context.
    [ThreadStatic]
    private static Stack<ContextHandle>? t_outer;

    private readonly ContextHandle? _previous;

    public CallbackScope(ContextHandle context)
    {
        _previous = t_innermost;
        if (_previous is not null)
            (t_outer ??= new Stack<ContextHandle>()).Push(_previous);
        t_innermost = context;
    }

    public static bool IsInside(ContextHandle context) =>
        t_innermost == context || (t_outer is { } outer && outer.Contains(context));

    /// <summary>Throws an exception if an operation is called in a callback, where it would deadlock.</summary>
    public static void ThrowIfInside(ContextHandle context, string operation)
    {
        if (IsInside(context))
        {
            throw new InvalidOperationException(
                $"Cannot {operation} inside a callback: libusb would deadlock or return BUSY. Do it on another thread, or after the call that handles the events.");
        }
    }

    public void Dispose()
    {
        t_innermost = _previous;
        if (_previous is not null)
            t_outer!.Pop();
    }
}
