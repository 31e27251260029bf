namespace Native.LibUsb;

/// <summary>
/// Marks that this thread is inside libusb's event handling for a context, or in a notifier of its descriptors, so that whatever user code runs
/// on it runs in a callback. There libusb forbids to open, to close, to transfer synchronously and to handle events: it would deadlock or
/// answer BUSY.
/// </summary>
internal readonly ref struct CallbackScope
{
    [ThreadStatic]
    private static UsbContext? t_innermost;

    // Contexts further out, when a callback of one context handles the events of another.
    [ThreadStatic]
    private static Stack<UsbContext>? t_outer;

    private readonly UsbContext? _previous;

    public CallbackScope(UsbContext context)
    {
        _previous = t_innermost;
        if (_previous is not null)
            (t_outer ??= new Stack<UsbContext>()).Push(_previous);
        t_innermost = context;
    }

    public static bool IsInside(UsbContext context) =>
        t_innermost == context || (t_outer is { } outer && outer.Contains(context));

    /// <summary>Refuses what would deadlock.</summary>
    public static void ThrowIfInside(UsbContext context, string operation)
    {
        if (IsInside(context))
        {
            throw new InvalidOperationException(
                $"Cannot {operation} inside a callback: libusb would deadlock or answer BUSY. Do it on another thread, or after the call that handles the events.");
        }
    }

    public void Dispose()
    {
        t_innermost = _previous;
        if (_previous is not null)
            t_outer!.Pop();
    }
}
