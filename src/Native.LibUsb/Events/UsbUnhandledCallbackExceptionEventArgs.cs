namespace Native.LibUsb;

/// <summary>An exception that left a callback.</summary>
public sealed class UsbUnhandledCallbackExceptionEventArgs : EventArgs
{
    internal UsbUnhandledCallbackExceptionEventArgs(Exception exception, object? source)
    {
        Exception = exception;
        Source = source;
    }

    /// <summary>What was thrown.</summary>
    public Exception Exception { get; }

    /// <summary>Whose callback threw it: the <see cref="UsbTransfer"/>, or null when it is not known.</summary>
    public object? Source { get; }
}
