namespace Native.LibUsb;

/// <summary>
/// Receives a message of libusb's log. It is called on any thread, including libusb's own, and while libusb holds its locks: it must be quick.
/// Members that would call libusb, and so might wait for those locks without end, throw <see cref="InvalidOperationException"/> in it, and so does
/// disposing. Setting log handlers and reading <see cref="UsbLibrary"/> is allowed. Exceptions that it throws are dropped, because no code could
/// catch them.
/// </summary>
/// <param name="level">The severity.</param>
/// <param name="message">The text in UTF-8, without its line end. Valid during the call only.</param>
public delegate void UsbLogHandler(UsbLogLevel level, ReadOnlySpan<byte> message);
