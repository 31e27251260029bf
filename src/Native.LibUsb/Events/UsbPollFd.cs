namespace Native.LibUsb;

/// <summary>Represents a file descriptor and the events to wait for on it.</summary>
/// <param name="FileDescriptor">The descriptor.</param>
/// <param name="Events">What to wait for, or what happened.</param>
public readonly record struct UsbPollFd(int FileDescriptor, UsbPollEvents Events);
