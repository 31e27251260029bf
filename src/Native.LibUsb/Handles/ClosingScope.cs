namespace Native.LibUsb;

/// <summary>
/// Represents the time during which this thread closes a context, or a device handle or interface of a context. Deferred closings run after the outermost scope
/// has ended. Inside a scope, a deferred closing could wait for the object that the same thread is closing, and the thread would deadlock.
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
