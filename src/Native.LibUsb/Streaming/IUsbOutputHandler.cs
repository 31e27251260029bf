namespace Native.LibUsb.Streaming;

/// <summary>
/// Defines a static method that fills the buffers of an output ring. The compiler can inline this method, which is not possible with a delegate.
/// </summary>
public interface IUsbOutputHandler
{
    /// <summary>
    /// Fills one buffer. The ring calls the method for each free buffer: for the first buffers on the thread that starts the ring, and after that on the thread
    /// that handles events. The method writes data and commits the buffer. A method that has no data returns without committing, and the ring calls the method
    /// again when the next transfer ends. The rules of a transfer's callback apply to the method. An exception that leaves the method goes to
    /// <see cref="UsbContext.UnhandledCallbackException"/>.
    /// </summary>
    /// <param name="buffer">
    /// The buffer, which the method commits with <see cref="UsbOutputBuffer.Commit(int, bool)"/>. The buffer belongs to the ring again when the method returns.
    /// </param>
    static abstract void Fill(UsbOutputBuffer buffer);
}
