namespace Native.LibUsb;

/// <summary>
/// Represents a method that receives a message of libusb's log. libusb may call the handler on any thread, including its own threads, and holds its locks
/// during the call, so the handler must be quick. Members that would call libusb could deadlock on those locks. Inside a handler, such members throw
/// <see cref="InvalidOperationException"/>, and so do Dispose methods. A handler may set log handlers and read <see cref="UsbLibrary"/>. Exceptions that a
/// handler throws are dropped, because no code could catch them.
/// </summary>
/// <param name="level">The severity.</param>
/// <param name="message">The text in UTF-8, without its line end. The memory is valid only during the call.</param>
public delegate void UsbLogHandler(UsbLogLevel level, ReadOnlySpan<byte> message);
