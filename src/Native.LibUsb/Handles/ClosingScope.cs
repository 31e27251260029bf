namespace Native.LibUsb;

/// <summary>
/// Marks that this thread closes a context, or a device handle or interface of a context. Deferred closings run after the outermost scope has ended. If a
/// deferred closing ran inside a scope, it could wait for the closing that the same thread performs. In that case, neither closing would end.
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
