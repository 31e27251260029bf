namespace Native.LibUsb;

/// <summary>
/// Represents a method that receives a message of libusb's log. libusb may call the handler on any thread, including libusb's own threads. The handler must
/// return quickly, because libusb holds its locks during the call. Many members of this library call functions of libusb that could deadlock on these locks.
/// Inside a handler, these members and all Dispose methods therefore throw <see cref="InvalidOperationException"/>. A handler may set log handlers and use the
/// members of <see cref="UsbLibrary"/>. If a handler throws an exception, the library drops the exception, because exceptions cannot pass through libusb's
/// native code.
/// </summary>
/// <param name="level">The severity.</param>
/// <param name="message">The text in UTF-8, without its line end. The memory is valid only during the call.</param>
public delegate void UsbLogHandler(UsbLogLevel level, ReadOnlySpan<byte> message);
