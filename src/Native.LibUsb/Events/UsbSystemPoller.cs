using System.Runtime.InteropServices;

namespace Native.LibUsb;

/// <summary>Represents a poller that uses poll(2), on Linux and macOS. Only one thread at a time may use it.</summary>
public sealed unsafe partial class UsbSystemPoller : IUsbPoller
{
    private const int EINTR = 4;

    private readonly List<NativePollFd> _watched = [];

    /// <summary>Initializes a poller that watches no descriptors.</summary>
    /// <exception cref="PlatformNotSupportedException">The system is Windows, which does not have poll(2).</exception>
    public UsbSystemPoller()
    {
        if (OperatingSystem.IsWindows())
            throw new PlatformNotSupportedException("Windows has no poll(2) for the objects that libusb waits on: use an event thread.");
    }

    /// <inheritdoc/>
    public void Register(int fileDescriptor, UsbPollEvents events)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(fileDescriptor);
        int index = IndexOf(fileDescriptor);
        var entry = new NativePollFd { FileDescriptor = fileDescriptor, Events = (short)events };
        if (index < 0)
            _watched.Add(entry);
        else
            _watched[index] = entry;
    }

    /// <inheritdoc/>
    public void Unregister(int fileDescriptor)
    {
        int index = IndexOf(fileDescriptor);
        if (index >= 0)
            _watched.RemoveAt(index);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="timeout"/> is negative and is not <see cref="Timeout.InfiniteTimeSpan"/>.</exception>
    /// <exception cref="IOException">poll failed.</exception>
    public int Poll(Span<UsbPollFd> ready, TimeSpan? timeout = null)
    {
        int milliseconds = Milliseconds(timeout);
        Span<NativePollFd> watched = CollectionsMarshal.AsSpan(_watched);
        int found;
        fixed (NativePollFd* first = watched)
            found = NativePoll(first, (nuint)watched.Length, milliseconds);
        if (found < 0)
        {
            int error = Marshal.GetLastPInvokeError();
            return error == EINTR ? 0 : throw new IOException($"poll failed: {Marshal.GetPInvokeErrorMessage(error)}");
        }

        int count = 0;
        foreach (NativePollFd one in watched)
        {
            if (one.ReturnedEvents != 0 && count < ready.Length)
                ready[count++] = new UsbPollFd(one.FileDescriptor, (UsbPollEvents)one.ReturnedEvents);
        }

        return count;
    }

    private static int Milliseconds(TimeSpan? timeout)
    {
        if (timeout is not { } time || time == Timeout.InfiniteTimeSpan)
            return -1;
        ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero, nameof(timeout));
        return (int)Math.Min(Math.Ceiling(time.TotalMilliseconds), int.MaxValue); // rounded up, so that the caller does not spin until the timeout expires
    }

    private int IndexOf(int fileDescriptor) => _watched.FindIndex(one => one.FileDescriptor == fileDescriptor);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static partial int NativePoll(NativePollFd* descriptors, nuint count, int milliseconds);

    [StructLayout(LayoutKind.Sequential)]
    private struct NativePollFd
    {
        public int FileDescriptor;
        public short Events;
        public short ReturnedEvents;
    }
}
