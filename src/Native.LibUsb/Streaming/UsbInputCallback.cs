namespace Native.LibUsb.Streaming;

/// <summary>Takes the buffers of a ring; see <see cref="IUsbInputHandler.OnBuffer"/>.</summary>
/// <param name="buffer">The ring's again when it returns.</param>
public delegate void UsbInputCallback(UsbInputBuffer buffer);
