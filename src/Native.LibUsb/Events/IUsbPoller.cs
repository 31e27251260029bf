namespace Native.LibUsb;

/// <summary>Represents an object that waits for events of file descriptors, to be shared with libusb by <see cref="UsbPoller"/>.</summary>
public interface IUsbPoller
{
    /// <summary>Watches a descriptor from now on, or changes what it is watched for.</summary>
    /// <param name="fileDescriptor">The descriptor.</param>
    /// <param name="events">What for.</param>
    void Register(int fileDescriptor, UsbPollEvents events);

    /// <summary>Watches a descriptor no more. One that is not watched, or is closed already, is no error.</summary>
    /// <param name="fileDescriptor">The descriptor.</param>
    void Unregister(int fileDescriptor);

    /// <summary>Waits for events.</summary>
    /// <param name="ready">Where the descriptors with events go; when more have events than fit, the rest comes next time.</param>
    /// <param name="timeout">The longest wait; null and <see cref="Timeout.InfiniteTimeSpan"/> set no limit, zero does not wait.</param>
    /// <returns>How many were written; 0 when the time ran out or a signal came.</returns>
    int Poll(Span<UsbPollFd> ready, TimeSpan? timeout = null);
}
