namespace Native.LibUsb;

/// <summary>Represents events of one file descriptor.</summary>
/// <param name="FileDescriptor">The descriptor.</param>
/// <param name="Events">The events to wait for, or the events that have occurred.</param>
public readonly record struct UsbPollFd(int FileDescriptor, UsbPollEvents Events);
