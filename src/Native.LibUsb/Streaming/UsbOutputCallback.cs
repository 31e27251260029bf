namespace Native.LibUsb.Streaming;

/// <summary>Represents a method that fills a ring's buffers; see <see cref="IUsbOutputHandler.Fill"/>.</summary>
/// <param name="buffer">
/// The buffer, which the method commits with <see cref="UsbOutputBuffer.Commit(int, bool)"/>. The buffer belongs to the ring again when the method returns.
/// </param>
public delegate void UsbOutputCallback(UsbOutputBuffer buffer);
