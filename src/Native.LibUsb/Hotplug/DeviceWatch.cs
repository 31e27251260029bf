using System.Runtime.CompilerServices;

namespace Native.LibUsb;

/// <summary>
/// Represents the stream that <see cref="UsbContext.WatchDevicesAsync"/> returns. It has subscribed already. The subscription ends with the enumeration, with
/// its token, and when the program has forgotten the stream: the monitor keeps the subscription alive, and the subscription does not keep the stream.
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

    /// <summary>Ends the subscription of a stream that no thread reads or can read any more.</summary>
    ~DeviceWatch()
    {
        _cancellation.Unregister();
        EndElsewhere(_registration); // ending waits for the monitor's lock, which a finaliser must not
    }

    public IAsyncEnumerator<UsbHotplugNotification> GetAsyncEnumerator(CancellationToken cancellationToken = default) =>
        ReadAsync(_cancellationToken).GetAsyncEnumerator(cancellationToken);

    private static void End(UsbHotplugRegistration registration)
    {
        if (LogScope.IsInside) // libusb must not be called: devices cannot be released here
            EndElsewhere(registration);
        else
            registration.Dispose();
    }

    private static void EndElsewhere(UsbHotplugRegistration registration) =>
        ThreadPool.UnsafeQueueUserWorkItem(static registration => registration.Dispose(), registration, preferLocal: false);

    // The enumerator refers to this object as long as it is used.
    private async IAsyncEnumerable<UsbHotplugNotification> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        try
        {
            while (await _registration.Notifications.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
            {
                while (_registration.TryTake(out UsbHotplugNotification notification))
                    yield return notification;
            }

            cancellationToken.ThrowIfCancellationRequested(); // the token may have ended the subscription before the wait
        }
        finally
        {
            _cancellation.Unregister();
            _registration.Dispose();
        }
    }
}
