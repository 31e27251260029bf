namespace Native.LibUsb.Streaming;

/// <summary>Represents a method that handles a ring's buffers; see <see cref="IUsbInputHandler.OnBuffer"/>.</summary>
/// <param name="buffer">The buffer, which belongs to the ring again when the method returns.</param>
public delegate void UsbInputCallback(UsbInputBuffer buffer);
