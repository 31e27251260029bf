namespace Native.LibUsb.Streaming;

/// <summary>Takes the buffers of a ring without a delegate: the method is known to the compiler, which may inline it.</summary>
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
    /// Called on the thread that handles events, in order. What it may not do is what a transfer's callback may not; an exception goes to
    /// <see cref="UsbContext.UnhandledCallbackException"/>.
    /// </summary>
    /// <param name="buffer">The ring's again when the method returns.</param>
    static abstract void OnBuffer(UsbInputBuffer buffer);
}
