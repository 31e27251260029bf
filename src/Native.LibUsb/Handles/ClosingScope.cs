namespace Native.LibUsb;

/// <summary>
/// Represents the time during which a thread closes an object of a context: an interface, a device handle, or the context itself. The thread runs deferred
/// closings only after its outermost scope has ended. Inside a scope, a deferred closing could wait for the object that the same thread is closing, and the
/// thread would deadlock.
/// </summary>
internal readonly ref struct ClosingScope
{
    [ThreadStatic]
    private static ContextHandle? t_context;

    private readonly ContextHandle? _previous;

    public ClosingScope(ContextHandle context)
    {
        _previous = t_context;
        t_context = context;
    }

    public static bool IsInside(ContextHandle context) => t_context == context;

    public void Dispose() => t_context = _previous;
}
