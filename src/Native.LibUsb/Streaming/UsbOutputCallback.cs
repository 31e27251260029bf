namespace Native.LibUsb.Streaming;

/// <summary>Fills the buffers of a ring; see <see cref="IUsbOutputHandler.Fill"/>.</summary>
/// <param name="buffer">To be committed with <see cref="UsbOutputBuffer.Commit(int, bool)"/>; the ring's again when it returns.</param>
public delegate void UsbOutputCallback(UsbOutputBuffer buffer);
