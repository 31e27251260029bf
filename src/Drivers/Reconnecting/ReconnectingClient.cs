using System.Runtime.CompilerServices;
using Native.LibUsb;
using Native.LibUsb.Streaming;

namespace Drivers.Reconnecting;

/// <summary>
/// Reads the bulk or interrupt IN endpoint of a device whenever the device is plugged in. A connection begins when the client starts to read the device, and
/// ends when the device is unplugged. All connections share one stream. For each connection, the stream contains an item for the start and an item for the end.
/// After a connection has ended, the stream continues. If a read fails although the device is still plugged in, the stream ends with an exception.
/// </summary>
/// <param name="context">The context that finds the device.</param>
/// <param name="filter">The filter that selects the device. If the filter contains a serial number, the client opens each device that matches the other
/// criteria, and reads its serial number.</param>
/// <param name="options">The options of the ring that reads the endpoint. If this parameter is null, the ring has the default options.</param>
public sealed class ReconnectingClient(UsbContext context, UsbDeviceFilter filter, UsbRingOptions? options = null)
{
    private const int InterfaceNumber = 0;

    // udev may set the permissions of a new device after the device has been reported.
    private static readonly TimeSpan s_accessPatience = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Waits for the device and reads from it until the token is cancelled. After the device has been unplugged, the method waits for it again.
    /// </summary>
    /// <param name="cancellationToken">A token that ends the stream. The stream then throws <see cref="OperationCanceledException"/>.</param>
    /// <returns>The items, in order.</returns>
    /// <exception cref="UsbException">The device is plugged in but cannot be used, for example because another program uses it.</exception>
    public async IAsyncEnumerable<ClientItem> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        UsbDeviceFilter arrivals = filter with { SerialNumber = null }; // the serial number can be read only from an open device
        await foreach ((_, UsbDevice device) in context.WatchDevicesAsync(arrivals, UsbHotplugEvents.Arrived, cancellationToken: cancellationToken).ConfigureAwait(false))
        {
            using UsbDevice owned = device;
            await using UsbDeviceHandle? handle = await TryOpenAsync(device, cancellationToken).ConfigureAwait(false);
            if (handle is null)
                continue; // the device was unplugged again, or has another serial number
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
            UsbInputRing ring = endpoint.CreateInputRing(options); // disposed with the handle
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
                handle.TrySetAutoDetachKernelDriver(true); // fails only on Windows, where no kernel driver holds the interface
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
