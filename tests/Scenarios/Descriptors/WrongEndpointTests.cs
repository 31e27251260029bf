using Native.LibUsb.Streaming;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Facade;

/// <summary>
/// Tests descriptors with wrong numbers: endpoint addresses that are impossible in an interface, and interface numbers that libusb cannot claim.
/// </summary>
/// <remarks>The kernel removes such descriptors before libusb reads them, so these tests run only with the preload library.</remarks>
public sealed class WrongEndpointTests : BusTest
{
    private static readonly UsbControlSetup s_setup = new(UsbDirection.In, UsbRequestKind.Vendor, UsbRecipient.Device, 1, 0, 0);

    [PreloadOnly(KernelLimits.Descriptors)]
    [BusFact]
    public async Task An_interface_that_claims_endpoint_0_does_not_stop_control_requests()
    {
        UsbDeviceHandle handle = OpenRaw(
            [
                9, 4, 0, 0, 2, 255, 0, 0, 0,
                7, 5, 0x00, 2, 0, 2, 0,
                7, 5, 0x81, 2, 0, 2, 0,
                9, 4, 0, 1, 1, 255, 0, 0, 0,
                7, 5, 0x81, 2, 0, 2, 0,
            ], interfaces: 1, out VirtualDevice device);
        UsbInterface claimed = handle.ClaimInterface(0);
        using var arrived = new SemaphoreSlim(0);
        VirtualUrb? kept = null;
        device.ControlHandler = urb =>
        {
            if (urb.Setup.RequestType != 0xC0)
                return false;
            kept = urb;
            arrived.Release();
            return true;
        };
        Task<int> pending = handle.ControlReadAsync(s_setup, new byte[3]).AsTask();
        Assert.True(arrived.Wait(Patience));
        claimed.SetAlternateSetting(1); // no transfer of the interface is active
        claimed.Dispose();
        lock (device.SyncRoot)
            kept!.CompleteWith([1, 2, 3]);
        Assert.Equal(3, await pending.WaitAsync(Patience));

        device.ControlHandler = static urb =>
        {
            if (urb.Setup.RequestType != 0xC0)
                return false;
            urb.CompleteWith([1, 2, 3]);
            return true;
        };
        Assert.Equal(3, await handle.ControlReadAsync(s_setup, new byte[3]).AsTask().WaitAsync(Patience));
    }

    [PreloadOnly(KernelLimits.Descriptors)]
    [BusFact]
    public void An_endpoint_of_an_interface_that_libusb_cannot_claim_is_named_in_the_error()
    {
        UsbDeviceHandle handle = OpenRaw([9, 4, 40, 0, 1, 255, 0, 0, 0, 7, 5, 0x81, 2, 0, 2, 0], interfaces: 1, out _);
        using UsbTransfer transfer = handle.CreateTransfer();
        transfer.SetBulk(0x81, 512);
        Assert.Contains("interface 40, and libusb can claim the interfaces 0 to 31 only", Assert.Throws<UsbException>(transfer.Submit).Message, StringComparison.Ordinal);
    }

    [PreloadOnly(KernelLimits.Descriptors)]
    [BusFact]
    public void An_endpoint_of_two_interfaces_is_found_in_the_one_that_is_claimed()
    {
        UsbDeviceHandle handle = OpenRaw(
            [9, 4, 40, 0, 1, 255, 0, 0, 0, 7, 5, 0x81, 2, 0, 2, 0, 9, 4, 0, 0, 1, 255, 0, 0, 0, 7, 5, 0x81, 2, 0, 2, 0], interfaces: 2, out VirtualDevice device);
        UsbEndpoint endpoint = handle.ClaimInterface(0).GetEndpoint(0x81);
        device.Endpoint(0x81).FailNext(UrbStatus.Protocol);
        Assert.Equal(UsbError.IO, Assert.Throws<UsbException>(() => endpoint.Read(new byte[512], Patience)).Error);
    }

    [PreloadOnly(KernelLimits.Descriptors)]
    [BusFact]
    public void A_ring_on_an_endpoint_with_reserved_address_bits_names_the_descriptor()
    {
        UsbDeviceHandle handle = OpenRaw([9, 4, 0, 0, 1, 255, 0, 0, 0, 7, 5, 0x91, 2, 0, 2, 0], interfaces: 1, out _);
        UsbEndpoint endpoint = Assert.Single(handle.ClaimInterface(0).Endpoints);
        Assert.Contains("The descriptor of endpoint 0x91 is wrong", Assert.Throws<ArgumentException>(() => endpoint.CreateInputRing()).Message, StringComparison.Ordinal);
    }

    private UsbDeviceHandle OpenRaw(byte[] descriptors, byte interfaces, out VirtualDevice device)
    {
        byte[] configuration = [9, 2, (byte)(descriptors.Length + 9), 0, interfaces, 1, 0, 0x80, 50, .. descriptors];
        device = new VirtualDevice(new DeviceDescription { Configurations = [ConfigurationDescription.Raw(configuration)] });
        Bus.Attach(device);
        using UsbDevice found = Context.FindDevice(device.Description.VendorId, device.Description.ProductId)!;
        return found.Open();
    }
}
