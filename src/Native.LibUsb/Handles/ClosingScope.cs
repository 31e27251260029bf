namespace Native.LibUsb;

/// <summary>
/// Marks that this thread closes a context, or a device handle or interface of a context. Deferred closings run after the outermost scope has ended. If a
/// deferred closing ran earlier, it could wait for the closing that this thread itself performs, and would never end.
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
