using Native.LibUsb.Interop;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Interfaces;

/// <summary>Tests that an exception names the cause of a refusal if libusb's error code does not identify the cause.</summary>
public sealed unsafe class RefusalCauseTests : BusTest
{
    private readonly TwoSettingsDevice _device = new();
    private readonly UsbDevice _found;
    private readonly UsbDeviceHandle _handle;

    public RefusalCauseTests()
    {
        Bus.Attach(_device);
        _found = Context.FindDevice(0x1209, 0x0001)!;
        _handle = _found.Open();
    }

    [BusFact]
    public void A_configuration_that_cannot_be_set_names_the_interface_and_its_holder()
    {
        UsbInterface claimed = _handle.ClaimInterface(1);
        UsbException busy = Busy(() => _handle.SetConfiguration(1));
        Assert.Contains("Interface 1 is claimed through this handle: dispose its UsbInterface first. No interface may be claimed", busy.Hint, StringComparison.Ordinal);
        using UsbDeviceHandle second = _found.Open();
        busy = Busy(() => second.SetConfiguration(1));
        Assert.Contains("Another handle of this program has claimed interface 1", busy.Hint, StringComparison.Ordinal);
        claimed.Dispose();
        second.SetConfiguration(1);

        using UsbDeviceHandle stranger = _found.Open();
        Assert.Equal(0, libusb.libusb_claim_interface(stranger.DangerousGetHandle(), 0)); // as another program does: the library does not see this call
        busy = Busy(() => second.SetConfiguration(1));
        Assert.Equal("An interface is claimed by another program: no interface may be claimed while the configuration is set.", busy.Hint);
    }

    [PreloadOnly(KernelLimits.Drivers)]
    [BusFact]
    public void A_configuration_that_cannot_be_set_names_the_kernel_driver()
    {
        var printer = new BulkLoopback(new BulkLoopbackOptions { KernelDriver = "usblp", InterfaceClass = (7, 1, 2) });
        Bus.Attach(printer);
        using UsbDevice found = Context.FindDevice(0x1209, 0x0011)!;
        using UsbDeviceHandle handle = found.Open();
        UsbException busy = Busy(() => handle.SetConfiguration(1));
        Assert.Contains("The kernel driver 'usblp' holds interface 0", busy.Hint, StringComparison.Ordinal);
    }

    [BusFact]
    public void An_interface_that_cannot_be_claimed_names_its_holder()
    {
        using UsbDeviceHandle second = _found.Open();
        UsbInterface claimed = _handle.ClaimInterface(0);
        Assert.Contains("Another handle of this program has claimed interface 0", Busy(() => second.ClaimInterface(0)).Hint, StringComparison.Ordinal);
        claimed.Dispose();
        Assert.Equal(0, libusb.libusb_claim_interface(_handle.DangerousGetHandle(), 0)); // as another program does
        UsbException busy = Busy(() => second.ClaimInterface(0));
        Assert.Contains("another program", busy.Hint, StringComparison.Ordinal);
        Assert.DoesNotContain("this program", busy.Hint, StringComparison.Ordinal);
        Assert.DoesNotContain("kernel driver", busy.Hint, StringComparison.Ordinal);
    }

    [BusFact]
    public void An_endpoint_address_that_the_device_does_not_have_is_named() =>
        AssertCause(0x8f, UsbTransferType.Bulk, "The active configuration of the device has no endpoint 0x8f.");

    [BusFact]
    public void An_endpoint_of_another_setting_is_named()
    {
        _handle.ClaimInterface(0).SetAlternateSetting(1);
        AssertCause(0x81, UsbTransferType.Bulk, "Endpoint 0x81 is in alternate setting 0 of interface 0, and setting 1 is active: call SetAlternateSetting.");
    }

    [BusFact]
    public void An_endpoint_of_another_setting_is_named_also_when_no_setting_was_ever_selected()
    {
        _handle.ClaimInterface(0);
        AssertCause(0x83, UsbTransferType.Interrupt, "Endpoint 0x83 is in alternate setting 1 of interface 0, and setting 0 is active: call SetAlternateSetting.");
    }

    [BusFact]
    public void A_wrong_transfer_type_is_named()
    {
        _handle.ClaimInterface(0);
        AssertCause(0x81, UsbTransferType.Interrupt, "Endpoint 0x81 takes Bulk transfers, not Interrupt transfers.");
    }

    [BusFact]
    public void An_interface_that_another_handle_holds_is_named()
    {
        using UsbDeviceHandle second = _found.Open();
        second.ClaimInterface(0);
        AssertCause(
            0x81, UsbTransferType.Bulk,
            "Endpoint 0x81 is of interface 0, which is not claimed through this handle. Another handle of this program has claimed interface 0: dispose its UsbInterface first.");
    }

    [BusFact]
    public void An_isochronous_packet_that_is_longer_than_the_endpoint_takes_is_named()
    {
        using UsbInterface claimed = _handle.ClaimInterface(0);
        claimed.SetAlternateSetting(1);
        using UsbTransfer transfer = claimed.GetEndpoint(0x84).CreateTransfer(isoPackets: 2);
        transfer.SetIsochronousPinned(0x84, new byte[5064], [64, 5000]);
        UsbException refused = Assert.Throws<UsbException>(transfer.Submit);
        Assert.Equal(UsbError.InvalidParameter, refused.Error);
        Assert.Equal("5000 bytes are more than the 64 of endpoint 0x84 in one packet: see UsbEndpointDescriptor.BytesPerInterval.", refused.Hint);
    }

    [BusFact]
    public void A_control_request_to_an_interface_that_another_handle_holds_names_it()
    {
        using UsbDeviceHandle second = _found.Open();
        second.ClaimInterface(1);
        const string hint =
            "The request is for interface 1, which is not claimed through this handle. Another handle of this program has claimed interface 1: dispose its UsbInterface first.";
        var setup = new UsbControlSetup(UsbDirection.In, UsbRequestKind.Class, UsbRecipient.Interface, 1, 2, 1);
        Assert.Equal(hint, Assert.Throws<UsbException>(() => _handle.ControlRead(setup, new byte[8])).Hint);
        ValueTask<int> awaited = _handle.ControlReadAsync(setup, new byte[8]);
        Assert.Equal(hint, Assert.Throws<UsbException>(() => awaited.GetAwaiter().GetResult()).Hint);
    }

    [BusFact]
    public void There_is_nothing_to_cancel_and_no_driver_to_detach()
    {
        using UsbTransfer transfer = _handle.CreateTransfer();
        Assert.Equal("Nothing is submitted: the transfer is at rest, or it has just completed.", Assert.Throws<UsbException>(transfer.Cancel).Hint);
        Assert.Equal("No kernel driver holds interface 1.", Assert.Throws<UsbException>(() => _handle.DetachKernelDriver(1)).Hint);
        Assert.Equal("Interfaces of the active configuration: 0, 1.", Assert.Throws<UsbException>(() => _handle.DetachKernelDriver(7)).Hint);
    }

    private static UsbException Busy(Action refused)
    {
        UsbException busy = Assert.Throws<UsbException>(refused);
        Assert.Equal(UsbError.Busy, busy.Error);
        Assert.NotNull(busy.Hint);
        return busy;
    }

    /// <summary>Checks that Submit and SubmitAsync fail with an exception that has this hint.</summary>
    private void AssertCause(byte endpoint, UsbTransferType type, string hint)
    {
        using UsbTransfer transfer = _handle.CreateTransfer();
        if (type == UsbTransferType.Bulk)
            transfer.SetBulk(endpoint, 64);
        else
            transfer.SetInterrupt(endpoint, 64);
        Assert.Equal(hint, Assert.Throws<UsbException>(transfer.Submit).Hint);
        ValueTask<int> awaited = transfer.SubmitAsync();
        Assert.True(awaited.IsFaulted);
        Assert.Equal(hint, Assert.Throws<UsbException>(() => awaited.GetAwaiter().GetResult()).Hint);
    }
}
