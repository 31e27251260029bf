namespace Native.LibUsb;

/// <summary>
/// Represents an object that waits for events on file descriptors. <see cref="UsbPoller"/> registers libusb's descriptors with this object, in addition to the
/// descriptors of the program.
/// </summary>
public interface IUsbPoller
{
    /// <summary>Begins to watch a descriptor. If the descriptor is already watched, the method changes the events to wait for.</summary>
    /// <param name="fileDescriptor">The descriptor.</param>
    /// <param name="events">The events to wait for.</param>
    void Register(int fileDescriptor, UsbPollEvents events);

    /// <summary>Stops watching a descriptor. The method ignores a descriptor that is not watched or is already closed.</summary>
    /// <param name="fileDescriptor">The descriptor.</param>
    void Unregister(int fileDescriptor);

    /// <summary>Waits for events.</summary>
    /// <param name="ready">
    /// Receives the descriptors that have events. If the span is too short for all of these descriptors, the next call returns the remaining ones.
    /// </param>
    /// <param name="timeout">The longest wait. Null and <see cref="Timeout.InfiniteTimeSpan"/> set no limit. With zero, the method does not wait.</param>
    /// <returns>The number of descriptors in <paramref name="ready"/>; 0 if the timeout expired or a signal arrived.</returns>
    int Poll(Span<UsbPollFd> ready, TimeSpan? timeout = null);
}
