using System.Diagnostics;

namespace Native.LibUsb;

// Opening a device that has no permissions yet.
public sealed partial class UsbDevice
{
    // Between two attempts to open: udev needs milliseconds, or with slow rules tenths of a second.
    private static readonly TimeSpan s_firstPause = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan s_longestPause = TimeSpan.FromMilliseconds(160);

    /// <summary>
    /// Opens the device as <see cref="Open()"/> does, and tries again while there is no permission: on Linux a device that was plugged in a moment ago gets its
    /// permissions from udev, which may come after the news of its arrival.
    /// </summary>
    /// <param name="accessTimeout">How long to try; zero tries once. Every other error is thrown at once.</param>
    /// <returns>A handle of its own each time; it keeps the device alive by itself.</returns>
    /// <exception cref="UsbException">As <see cref="Open()"/>; <see cref="UsbError.Access"/> when the time is up.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The time is negative.</exception>
    /// <exception cref="InvalidOperationException">Called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The device or the context is disposed.</exception>
    public UsbDeviceHandle Open(TimeSpan accessTimeout) => OpenAsync(accessTimeout).GetAwaiter().GetResult();

    /// <summary>Opens the device as <see cref="Open(TimeSpan)"/> does, without blocking a thread while it waits.</summary>
    /// <param name="accessTimeout">How long to try; zero tries once.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The open device.</returns>
    /// <exception cref="UsbException">As <see cref="Open()"/>; <see cref="UsbError.Access"/> when the time is up.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The time is negative.</exception>
    /// <exception cref="InvalidOperationException">Called from a callback of this context.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
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
