namespace Native.LibUsb.Streaming;

/// <summary>Defines a static method that handles the buffers of an input ring. The compiler can inline this method, but cannot inline a delegate.</summary>
/// <example>
/// <code>
/// readonly struct Capture : IUsbInputHandler
/// {
///     public static void OnBuffer(UsbInputBuffer buffer) => ((Recorder)buffer.Ring.State!).Add(buffer.Data);
/// }
/// ring.State = recorder;
/// ring.Start&lt;Capture&gt;();
/// </code>
/// </example>
public interface IUsbInputHandler
{
    /// <summary>
    /// Handles one buffer, on the thread that handles events. The ring calls the method for each buffer in order. The method must follow the same rules as the
    /// callback of a transfer. If the method throws an exception, <see cref="UsbContext.UnhandledCallbackException"/> receives the exception.
    /// </summary>
    /// <param name="buffer">The buffer, which belongs to the ring again when the method returns.</param>
    static abstract void OnBuffer(UsbInputBuffer buffer);
}
