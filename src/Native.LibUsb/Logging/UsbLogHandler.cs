namespace Native.LibUsb;

/// <summary>
/// Represents a method that receives a message of libusb's log. libusb may call the handler on any thread, including libusb's own threads. The handler must
/// return quickly, because libusb holds its locks during the call. A member of this library that calls libusb could deadlock on these locks. Inside a handler,
/// such members and all Dispose methods therefore throw <see cref="InvalidOperationException"/>. A handler may set log handlers and use the members of
/// <see cref="UsbLibrary"/>. If a handler throws an exception, the library drops the exception, because no code could catch it.
/// </summary>
/// <param name="level">The severity.</param>
/// <param name="message">The text in UTF-8, without its line end. The memory is valid only during the call.</param>
public delegate void UsbLogHandler(UsbLogLevel level, ReadOnlySpan<byte> message);
