namespace Native.LibUsb.Streaming;

/// <summary>Fills the buffers of a ring without a delegate: the method is known to the compiler, which may inline it.</summary>
public interface IUsbOutputHandler
{
    /// <summary>
    /// Called on the thread that handles events for each buffer that is free. It writes and commits, or returns without: then it is asked again when
    /// the next transfer ends. What it may not do is what a transfer's callback may not; an exception goes to
    /// <see cref="UsbContext.UnhandledCallbackException"/>.
    /// </summary>
    /// <param name="buffer">To be committed with <see cref="UsbOutputBuffer.Commit(int, bool)"/>; the ring's again when the method returns.</param>
    static abstract void Fill(UsbOutputBuffer buffer);
}
