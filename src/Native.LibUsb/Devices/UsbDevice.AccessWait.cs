using System.Diagnostics;

namespace Native.LibUsb;

// Opens a device for which the program may not have the permission yet.
public sealed partial class UsbDevice
{
    // The first pause between two attempts to open the device, and the longest pause. Each pause is twice as long as the pause before it, up to the longest
    // pause. udev usually needs a few milliseconds to set the permissions. With slow rules, udev can need several tenths of a second.
    private static readonly TimeSpan s_firstPause = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan s_longestPause = TimeSpan.FromMilliseconds(160);

    /// <summary>
    /// Opens the device as <see cref="Open()"/> does. If the program has no permission for the device, the method tries again until it succeeds or the time
    /// expires. On Linux, a program is sometimes notified of a device's arrival before udev has set the permissions of the device.
    /// </summary>
    /// <param name="accessTimeout">
    /// The time for which the method keeps trying to open the device. If the time is zero, the method tries only once. For any error other than a missing
    /// permission, the method throws immediately.
    /// </param>
    /// <returns>A new handle for each call. The handle keeps the device alive, even if this object is disposed.</returns>
    /// <exception cref="UsbException">
    /// The errors of <see cref="Open()"/> also apply to this method. <see cref="UsbError.Access"/>: the program still has no permission after the given time.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">The time is negative.</exception>
    /// <exception cref="InvalidOperationException">The method is called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The device or the context is disposed.</exception>
    public UsbDeviceHandle Open(TimeSpan accessTimeout) => OpenAsync(accessTimeout).GetAwaiter().GetResult();

    /// <summary>Opens the device as <see cref="Open(TimeSpan)"/> does, and waits without blocking a thread.</summary>
    /// <param name="accessTimeout">
    /// The time for which the method keeps trying to open the device. If the time is zero, the method tries only once. For any error other than a missing
    /// permission, the method throws immediately.
    /// </param>
    /// <param name="cancellationToken">A token that stops the attempts to open the device.</param>
    /// <returns>The open device.</returns>
    /// <exception cref="UsbException">
    /// The errors of <see cref="Open()"/> also apply to this method. <see cref="UsbError.Access"/>: the program still has no permission after the given time.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">The time is negative.</exception>
    /// <exception cref="InvalidOperationException">The method is called from a callback of this context.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The device or the context is disposed.</exception>
    public async Task<UsbDeviceHandle> OpenAsync(TimeSpan accessTimeout, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(accessTimeout, TimeSpan.Zero);
        cancellationToken.ThrowIfCancellationRequested();
        long began = Stopwatch.GetTimestamp();
        TimeSpan pause = s_firstPause;
        while (true)
        {
            UsbError error = TryOpen(out UsbDeviceHandle? handle);
            if (handle is not null)
                return handle;
            TimeSpan left = accessTimeout - Stopwatch.GetElapsedTime(began);
            if (error != UsbError.Access || left <= TimeSpan.Zero)
                throw OpenFailure(error);
            await Task.Delay(pause < left ? pause : left, cancellationToken).ConfigureAwait(false);
            pause = pause < s_longestPause ? pause * 2 : pause;
        }
    }
}
