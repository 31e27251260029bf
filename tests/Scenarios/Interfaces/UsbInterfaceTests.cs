using Native.LibUsb.Interop;
using Native.LibUsb.Streaming;
using Native.LibUsb.Testing;

#pragma warning disable CA2012 // calls that throw immediately are not awaited

namespace Native.LibUsb.Tests.Interfaces;

/// <summary>Tests the settings and endpoints of claimed interfaces, and control requests to interfaces.</summary>
public sealed class UsbInterfaceTests : BusTest
{
    private readonly TwoSettingsDevice _device = new();
    private readonly UsbDeviceHandle _handle;
    private readonly UsbInterface _interface;

    public UsbInterfaceTests()
    {
        Bus.Attach(_device);
        using UsbDevice found = Context.FindDevice(0x1209, 0x0001)!;
        _handle = found.Open();
        _interface = _handle.ClaimInterface(0);
    }

    [BusFact]
    public void Endpoints_are_those_of_the_active_setting()
    {
        Assert.Equal(2, _interface.AlternateSettings.Count);
        Assert.Equal(0, _interface.ActiveSetting.Number);
        Assert.Equal("129 1", Addresses());
        Assert.Same(_interface.GetEndpoint(0x81), _interface.GetEndpoint(UsbDirection.In, UsbTransferType.Bulk));
        Assert.Same(_interface.Endpoints[1], _interface.GetEndpoint(UsbDirection.Out, UsbTransferType.Bulk));
        Assert.Equal(new byte[] { 3, 0x25, 9 }, _interface.GetEndpoint(0x81).Descriptor.Extra.ToArray());
        _interface.SetAlternateSetting(1);
        Assert.Equal(1, _interface.ActiveSetting.Number);
        Assert.Equal(1, _device.AlternateOf(0));
        Assert.Equal("131 3 132", Addresses());
        Assert.Same(_interface.GetEndpoint(0x84), _interface.GetEndpoint(UsbDirection.In, UsbTransferType.Isochronous));
    }

    [BusFact]
    public unsafe void A_setting_that_was_selected_through_the_raw_layer_is_the_active_one()
    {
        Assert.Equal(0, libusb.libusb_set_interface_alt_setting(_handle.DangerousGetHandle(), 0, 1)); // bypasses the objects of the library
        Assert.Equal(1, _interface.ActiveSetting.Number);
        Assert.Equal("131 3 132", Addresses());
    }

    [BusFact]
    public void An_endpoint_that_is_not_there_is_refused_with_the_setting_that_has_it()
    {
        UsbException missing = Assert.Throws<UsbException>(() => _interface.GetEndpoint(0x83));
        Assert.Equal(UsbError.NotFound, missing.Error);
        Assert.Contains("0x83 in alternate setting 0 of interface 0", missing.Operation, StringComparison.Ordinal);
        Assert.Contains("SetAlternateSetting(1)", missing.Hint, StringComparison.Ordinal);
        missing = Assert.Throws<UsbException>(() => _interface.GetEndpoint(UsbDirection.In, UsbTransferType.Interrupt));
        Assert.Contains("In endpoint for Interrupt transfers", missing.Operation, StringComparison.Ordinal);
        Assert.Contains("SetAlternateSetting(1)", missing.Hint, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => _interface.GetEndpoint(0x40));
    }

    [BusFact]
    public void A_setting_that_is_not_there_is_refused_and_changes_nothing()
    {
        UsbEndpoint endpoint = _interface.GetEndpoint(0x81);
        UsbException missing = Assert.Throws<UsbException>(() => _interface.SetAlternateSetting(2));
        Assert.Equal(UsbError.NotFound, missing.Error);
        Assert.Equal("activate alternate setting 2 of interface 0", missing.Operation);
        Assert.Equal(UsbError.NotFound, _interface.TrySetAlternateSetting(2));
        Assert.Throws<ArgumentOutOfRangeException>(() => _interface.SetAlternateSetting(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => _interface.SetAlternateSetting(256));
        Assert.False(endpoint.IsStale);
        Assert.Same(endpoint, _interface.GetEndpoint(0x81));
    }

    [BusFact]
    public void A_setting_is_not_changed_under_a_transfer()
    {
        using UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(0x81, 512);
        transfer.Submit();
        InvalidOperationException busy = Assert.Throws<InvalidOperationException>(() => _interface.SetAlternateSetting(1));
        Assert.Contains("endpoint 0x81", busy.Message, StringComparison.Ordinal);
        Assert.Equal(0, _device.AlternateOf(0));
        transfer.Cancel();
        Finish(transfer);
        _interface.SetAlternateSetting(1);

        using UsbInterface other = _handle.ClaimInterface(1); // transfers of another interface do not prevent the change
        transfer.SetInterrupt(0x85, 64);
        transfer.Submit();
        _interface.SetAlternateSetting(0);
        transfer.Cancel();
        Finish(transfer);
    }

    [BusFact]
    public async Task A_setting_is_not_changed_while_a_disposed_transfer_ends()
    {
        UsbTransfer transfer = _interface.GetEndpoint(0x81).CreateTransfer();
        transfer.SetBulk(0x81, 512);
        transfer.Submit();
        transfer.Dispose();
        InvalidOperationException busy = Assert.Throws<InvalidOperationException>(() => _interface.SetAlternateSetting(1));
        Assert.Contains("a disposed transfer on endpoint 0x81 is still ending: await DisposeAsync, or handle events", busy.Message, StringComparison.Ordinal);
        await transfer.DisposeAsync();
        _interface.SetAlternateSetting(1);
    }

    [BusFact]
    public async Task A_setting_is_not_changed_under_a_ring()
    {
        using (Context.StartEventThread())
        {
            using UsbInputRing ring = _interface.GetEndpoint(0x81).CreateInputRing(new UsbRingOptions { TransferSize = 512 });
            ring.Start();
            InvalidOperationException busy = Assert.Throws<InvalidOperationException>(() => _interface.SetAlternateSetting(1));
            Assert.Contains("endpoint 0x81", busy.Message, StringComparison.Ordinal);
            await ring.StopAsync();
        }

        _interface.SetAlternateSetting(1);
        Assert.Equal(1, _device.AlternateOf(0));
    }

    [BusFact]
    public async Task Control_requests_are_addressed_to_the_interface()
    {
        using UsbInterface second = _handle.ClaimInterface(1);
        byte[] buffer = new byte[8];
        Assert.Equal(3, second.ControlRead(UsbRequestKind.Class, 0x81, 0x0203, buffer, entity: 5));
        Assert.Equal(TwoSettingsDevice.Answer, buffer[..3]);
        Assert.Equal(new SetupPacket(0xa1, 0x81, 0x0203, 0x0501, 8), _device.LastSetup);
        Assert.Equal(UsbError.Success, second.TryControlRead(UsbRequestKind.Vendor, 1, 2, buffer, out int received));
        Assert.Equal(3, received);
        Assert.Equal(new SetupPacket(0xc1, 1, 2, 1, 8), _device.LastSetup);
        Assert.Equal(2, second.ControlWrite(UsbRequestKind.Class, 1, 2, [7, 8], entity: 0xfe));
        Assert.Equal(new SetupPacket(0x21, 1, 2, 0xfe01, 2), _device.LastSetup);
        Assert.Equal(new byte[] { 7, 8 }, _device.LastData);
        Assert.Equal(UsbError.Success, second.TryControlWrite(UsbRequestKind.Class, 9, 2, [4], out int sent));
        Assert.Equal(1, sent);

        Array.Clear(buffer);
        Assert.Equal(3, await second.ControlReadAsync(UsbRequestKind.Class, 0x81, 4, buffer, entity: 6));
        Assert.Equal(TwoSettingsDevice.Answer, buffer[..3]);
        Assert.Equal(new SetupPacket(0xa1, 0x81, 4, 0x0601, 8), _device.LastSetup);
        Assert.Equal(1, await second.ControlWriteAsync(UsbRequestKind.Class, 3, 4, new byte[] { 9 }, entity: 7));
        Assert.Equal(new SetupPacket(0x21, 3, 4, 0x0701, 1), _device.LastSetup);
        Assert.Equal(new byte[] { 9 }, _device.LastData);
    }

    [BusFact]
    public void Descriptors_of_the_interface_and_of_the_device_are_read()
    {
        using UsbInterface second = _handle.ClaimInterface(1);
        Assert.Equal(TwoSettingsDevice.Answer, second.GetDescriptor(0x22, 4)); // a HID report descriptor
        Assert.Equal(new SetupPacket(0x81, 6, 0x2204, 1, 4096), _device.LastSetup);
        Assert.Equal(TwoSettingsDevice.Answer, _handle.GetDescriptor(0x29, 5, 0x0407));
        Assert.Equal(new SetupPacket(0x80, 6, 0x2905, 0x0407, 4096), _device.LastSetup);
        Assert.Equal(18, _handle.GetDescriptor(1).Length);
        Assert.Equal(_handle.Device.GetActiveConfigurationDescriptor().TotalLength, _handle.GetDescriptor(2).Length);
    }

    [BusFact]
    public void A_disposed_interface_is_refused_and_so_are_its_endpoints()
    {
        UsbEndpoint endpoint = _interface.GetEndpoint(0x81);
        _interface.Dispose();
        Assert.True(endpoint.IsStale);
        Assert.Throws<ObjectDisposedException>(() => _interface.Endpoints);
        Assert.Throws<ObjectDisposedException>(() => _interface.ActiveSetting);
        Assert.Throws<ObjectDisposedException>(() => _interface.SetAlternateSetting(0));
        Assert.Throws<ObjectDisposedException>(() => _interface.GetDescriptor(0x22));
        Assert.Throws<ObjectDisposedException>(() => endpoint.Read(new byte[8]));
        Assert.Throws<ObjectDisposedException>(() => { _ = endpoint.ReadAsync(new byte[8]); });
        Assert.Throws<ObjectDisposedException>(() => endpoint.ControlRead(UsbRequestKind.Class, 1, 2, new byte[8]));
        Assert.Throws<ObjectDisposedException>(() => endpoint.CreateTransfer());
        Assert.Throws<ObjectDisposedException>(endpoint.ClearHalt);
    }

    [BusFact]
    public void Interfaces_of_a_disposed_handle_are_refused_and_so_are_their_endpoints()
    {
        UsbEndpoint endpoint = _interface.GetEndpoint(0x81);
        _handle.Dispose();
        Assert.True(endpoint.IsStale);
        Assert.Throws<ObjectDisposedException>(() => _interface.Endpoints);
        Assert.Throws<ObjectDisposedException>(() => _interface.ActiveSetting);
        Assert.Throws<ObjectDisposedException>(() => endpoint.Read(new byte[8]));
        Assert.Throws<ObjectDisposedException>(() => { _ = endpoint.ReadAsync(new byte[8]); });
        _interface.Dispose();
    }

    private string Addresses() => string.Join(' ', _interface.Endpoints.Select(static endpoint => endpoint.Address));
}
