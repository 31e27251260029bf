namespace Native.LibUsb.Streaming;

/// <summary>Fills the buffers of a ring without a delegate: the method is known to the compiler, which may inline it.</summary>
public interface IUsbOutputHandler
{
    /// <summary>
    /// Fills a buffer. The ring calls the method on the thread that handles events for each buffer that is free. It writes and commits, or returns without:
    /// then the ring calls it again
    /// when the next transfer ends. The method obeys the rules of a transfer's callback. An exception goes to
    /// <see cref="UsbContext.UnhandledCallbackException"/>.
    /// </summary>
    /// <param name="buffer">To be committed with <see cref="UsbOutputBuffer.Commit(int, bool)"/>; the ring's again when the method returns.</param>
    static abstract void Fill(UsbOutputBuffer buffer);
}
