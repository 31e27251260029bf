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
    /// Takes a buffer. The ring calls the method on the thread that handles events, in order. The method obeys the rules of a transfer's callback. An
    /// exception goes to
    /// <see cref="UsbContext.UnhandledCallbackException"/>.
    /// </summary>
    /// <param name="buffer">The ring's again when the method returns.</param>
    static abstract void OnBuffer(UsbInputBuffer buffer);
}
