namespace Native.LibUsb.Streaming;

/// <summary>Defines a static method that fills the buffers of an output ring. The compiler can inline this method, but cannot inline a delegate.</summary>
public interface IUsbOutputHandler
{
    /// <summary>
    /// Fills one buffer. The ring calls the method for each free buffer. The thread that starts the ring calls the method for the first buffers, and the thread
    /// that handles events calls it for all later buffers. The method writes data to the buffer and commits the buffer. If there is no data, the method returns
    /// without committing the buffer, and the ring calls the method again when the next transfer ends. The method must follow the same rules as the callback of
    /// a transfer. If the method throws an exception, <see cref="UsbContext.UnhandledCallbackException"/> receives the exception.
    /// </summary>
    /// <param name="buffer">
    /// The buffer, which the method commits with <see cref="UsbOutputBuffer.Commit(int, bool)"/>. The buffer belongs to the ring again when the method returns.
    /// </param>
    static abstract void Fill(UsbOutputBuffer buffer);
}
