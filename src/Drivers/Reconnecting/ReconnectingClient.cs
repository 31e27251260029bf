using System.Runtime.CompilerServices;
using Native.LibUsb;
using Native.LibUsb.Streaming;

namespace Drivers.Reconnecting;

/// <summary>
/// Reads the bulk or interrupt IN endpoint of a device whenever the device is plugged in. The reader has one stream for all connections: it sees where one ends
/// and the next begins, and does not end with them.
/// </summary>
/// <param name="context">The context that finds the device.</param>
/// <param name="filter">The device. A filter with a serial number is compared after the device was opened.</param>
/// <param name="options">How the endpoint is read; null for the library's sizes.</param>
public sealed class ReconnectingClient(UsbContext context, UsbDeviceFilter filter, UsbRingOptions? options = null)
{
    private const int InterfaceNumber = 0;

    // udev may set the permissions of a new device late.
    private static readonly TimeSpan s_accessPatience = TimeSpan.FromSeconds(2);

    /// <summary>Waits for the device, and reads from it, until the token ends that.</summary>
    /// <param name="cancellationToken">Ends the stream, which then throws <see cref="OperationCanceledException"/>.</param>
    /// <returns>The items in order.</returns>
    /// <exception cref="UsbException">The device is there and cannot be used, for a reason that waiting does not remove.</exception>
    public async IAsyncEnumerable<ClientItem> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        UsbDeviceFilter arrivals = filter with { SerialNumber = null }; // only an open device reports it
        await foreach ((_, UsbDevice device) in context.WatchDevicesAsync(arrivals, UsbHotplugEvents.Arrived, cancellationToken: cancellationToken).ConfigureAwait(false))
        {
            using UsbDevice owned = device;
            await using UsbDeviceHandle? handle = await TryOpenAsync(device, cancellationToken).ConfigureAwait(false);
            if (handle is null)
                continue; // unplugged again, or another one of the same kind
            UsbInputRing? ring = TryStart(handle);
            if (ring is null)
                continue;
            yield return new ClientItem(ClientEvent.Connected);
            UsbException? cause;
            while (true)
            {
                (UsbInputBuffer buffer, cause) = await ReadAsync(ring, cancellationToken).ConfigureAwait(false);
                using UsbInputBuffer lent = buffer;
                if (buffer.IsNone)
                    break;
                if (buffer.Length > 0)
                    yield return new ClientItem(ClientEvent.Data, buffer.Memory);
            }

            yield return new ClientItem(ClientEvent.Disconnected, Cause: cause);
        }
    }

    private static async ValueTask<(UsbInputBuffer Buffer, UsbException? Cause)> ReadAsync(UsbInputRing ring, CancellationToken cancellationToken)
    {
        try
        {
            return (await ring.ReadAsync(cancellationToken).ConfigureAwait(false), null);
        }
        catch (UsbException exception) when (exception.Error == UsbError.NoDevice)
        {
            return (default, exception);
        }
    }

    private UsbInputRing? TryStart(UsbDeviceHandle handle)
    {
        try
        {
            UsbInterface claimed = handle.ClaimInterface(InterfaceNumber);
            UsbEndpoint endpoint = claimed.Endpoints.FirstOrDefault(one => one is { Direction: UsbDirection.In, TransferType: UsbTransferType.Bulk or UsbTransferType.Interrupt })
                ?? throw new InvalidDataException($"Interface {InterfaceNumber} of device {handle.Device} has no endpoint to read from.");
            UsbInputRing ring = endpoint.CreateInputRing(options); // belongs to the handle
            ring.Start();
            return ring;
        }
        catch (UsbException exception) when (exception.Error == UsbError.NoDevice)
        {
            return null;
        }
    }

    private async Task<UsbDeviceHandle?> TryOpenAsync(UsbDevice device, CancellationToken cancellationToken)
    {
        UsbDeviceHandle handle;
        try
        {
            handle = await device.OpenAsync(s_accessPatience, cancellationToken).ConfigureAwait(false);
        }
        catch (UsbException exception) when (exception.Error is UsbError.NoDevice or UsbError.NotFound)
        {
            return null;
        }

        try
        {
            if (filter.SerialNumber is null || HasSerialNumber(handle))
            {
                if (!OperatingSystem.IsWindows())
                    handle.SetAutoDetachKernelDriver(true);
                return handle;
            }
        }
        catch
        {
            await handle.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        await handle.DisposeAsync().ConfigureAwait(false);
        return null;
    }

    private bool HasSerialNumber(UsbDeviceHandle handle) =>
        handle.TryGetString(handle.Device.Descriptor.SerialNumberIndex, out string? text) == UsbError.Success && text == filter.SerialNumber;
}
