using System.Runtime.CompilerServices;

namespace Native.LibUsb;

/// <summary>
/// Represents the stream that <see cref="UsbContext.WatchDevicesAsync"/> returns. The stream's subscription has already begun. The subscription ends when the
/// enumeration ends, when the cancellation token is cancelled, or when the garbage collector finalizes the stream. The hotplug monitor keeps the subscription
/// alive, but it does not keep the stream alive. If the program drops the stream, the garbage collector can therefore finalize the stream.
/// </summary>
internal sealed class DeviceWatch : IAsyncEnumerable<UsbHotplugNotification>
{
    private readonly UsbHotplugRegistration _registration;
    private readonly CancellationToken _cancellationToken;
    private readonly CancellationTokenRegistration _cancellation;

    public DeviceWatch(UsbHotplugRegistration registration, CancellationToken cancellationToken)
    {
        _registration = registration;
        _cancellationToken = cancellationToken;
        _cancellation = cancellationToken.UnsafeRegister(static registration => End((UsbHotplugRegistration)registration!), registration);
    }

    /// <summary>Ends the subscription of a stream that the program has dropped.</summary>
    ~DeviceWatch()
    {
        _cancellation.Unregister();
        EndElsewhere(_registration); // ending the subscription waits for the monitor's lock, and a finalizer must not wait
    }

    public IAsyncEnumerator<UsbHotplugNotification> GetAsyncEnumerator(CancellationToken cancellationToken = default) =>
        ReadAsync(_cancellationToken).GetAsyncEnumerator(cancellationToken);

    private static void End(UsbHotplugRegistration registration)
    {
        if (LogScope.IsInside) // in a log handler libusb must not be called, so the devices cannot be released here
            EndElsewhere(registration);
        else
            registration.Dispose();
    }

    private static void EndElsewhere(UsbHotplugRegistration registration) =>
        ThreadPool.UnsafeQueueUserWorkItem(static registration => registration.Dispose(), registration, preferLocal: false);

    // The enumerator refers to this object, so this object is not finalized during the enumeration.
    private async IAsyncEnumerable<UsbHotplugNotification> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        try
        {
            while (await _registration.Notifications.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
            {
                while (_registration.TryTake(out UsbHotplugNotification notification))
                    yield return notification;
            }

            cancellationToken.ThrowIfCancellationRequested(); // the token may have ended the subscription before the loop waited
        }
        finally
        {
            _cancellation.Unregister();
            _registration.Dispose();
        }
    }
}
