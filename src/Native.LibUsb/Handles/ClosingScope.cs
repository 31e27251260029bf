namespace Native.LibUsb;

/// <summary>
/// Marks that this thread closes something of a context. Deferred closings wait until the outermost scope has ended: run earlier, they could wait for the
/// closing that this very thread is in.
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
