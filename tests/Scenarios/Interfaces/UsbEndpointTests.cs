using Native.LibUsb.Testing;

#pragma warning disable CA2012 // calls that throw immediately are not awaited

namespace Native.LibUsb.Tests.Interfaces;

/// <summary>Tests endpoints of claimed interfaces: synchronous transfers, stale endpoints, halts and control requests.</summary>
public sealed class UsbEndpointTests : TwoSettingsTest
{
    [BusTheory]
    [InlineData(0, 0x81, 0x01)] // bulk
    [InlineData(1, 0x83, 0x03)] // interrupt
    public void Bytes_are_read_and_written(int setting, byte inAddress, byte outAddress)
    {
        Interface.SetAlternateSetting(setting);
        UsbEndpoint input = Interface.GetEndpoint(inAddress), output = Interface.GetEndpoint(outAddress);
        Assert.Equal((UsbDirection.In, UsbDirection.Out), (input.Direction, output.Direction));
        byte[] buffer = new byte[64];
        Device.Packets(inAddress).Send([5, 6], [7], []);
        Assert.Equal(2, input.Read(buffer));
        Assert.Equal(new byte[] { 5, 6 }, buffer[..2]);
        Assert.Equal(1, input.Read(buffer, Timeout.InfiniteTimeSpan));
        Assert.Equal(UsbError.Success, input.TryRead(buffer, out int received, Patience));
        Assert.Equal(0, received);
        Assert.Equal(UsbError.Timeout, input.TryRead(buffer, out _, TimeSpan.FromMilliseconds(20)));
        Assert.Equal(UsbError.Timeout, Assert.Throws<UsbException>(() => input.Read(buffer, TimeSpan.FromMilliseconds(20))).Error);
        Assert.Equal(3, output.Write([1, 2, 3]));
        Assert.Equal(2, output.Write([1, 2], Timeout.InfiniteTimeSpan));
        Assert.Equal(UsbError.Success, output.TryWrite([1], out int sent, Patience));
        Assert.Equal(1, sent);
        Assert.Equal(0, output.Write([])); // a zero-length packet
        Assert.Equal("3 2 1 0", Lengths(outAddress));
    }

    [BusFact]
    public void A_timeout_of_zero_and_one_out_of_range_are_refused()
    {
        UsbEndpoint input = Interface.GetEndpoint(0x81), output = Interface.GetEndpoint(0x01);
        foreach (TimeSpan refused in (TimeSpan[])[TimeSpan.Zero, TimeSpan.FromMilliseconds(-2), TimeSpan.FromDays(25)])
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => input.Read(new byte[8], refused));
            Assert.Throws<ArgumentOutOfRangeException>(() => input.TryRead(new byte[8], out _, refused));
            Assert.Throws<ArgumentOutOfRangeException>(() => output.Write([1], refused));
            Assert.Throws<ArgumentOutOfRangeException>(() => output.TryWrite([1], out _, refused));
        }

        Assert.Equal(0, Device.Endpoint(0x81).Submitted + Device.Endpoint(0x01).Submitted);
    }

    [BusFact]
    public void A_read_may_have_any_length_and_an_overflow_gives_the_rule()
    {
        using UsbDeviceHandle loopback = Open(new BulkLoopback());
        UsbEndpoint input = loopback.At(BulkLoopback.InAddress), output = loopback.At(BulkLoopback.OutAddress);
        byte[] buffer = new byte[700];
        output.Write(new byte[700], Patience);
        Assert.Equal(700, input.Read(buffer, Patience));
        output.Write(new byte[1024], Patience);
        UsbException overflow = Assert.Throws<UsbException>(() => input.Read(buffer, Patience));
        Assert.Equal(UsbError.Overflow, overflow.Error);
        Assert.Contains("multiple of the endpoint's packet size, 512 bytes: read 1024 bytes and not 700", overflow.Hint, StringComparison.Ordinal);
    }

    [BusFact]
    public void A_message_can_end_with_a_zero_length_packet()
    {
        UsbEndpoint output = Interface.GetEndpoint(0x01);
        Assert.Equal(1024, output.Write(new byte[1024], Patience, endOfMessage: true));
        Assert.Equal(UsbError.Success, output.TryWrite(new byte[512], out int sent, Patience, endOfMessage: true));
        Assert.Equal(512, sent);
        output.Write(new byte[512], Patience); // not the end
        output.Write(new byte[100], Patience, endOfMessage: true); // a short packet is the end
        output.Write([], Patience, endOfMessage: true);
        Assert.Equal("1024 0 512 0 512 100 0", Lengths(0x01));
    }

    [BusFact]
    public void The_wrong_direction_or_type_is_refused()
    {
        Interface.SetAlternateSetting(1);
        InvalidOperationException refused = Assert.Throws<InvalidOperationException>(() => Interface.GetEndpoint(0x83).Write([1]));
        Assert.Contains("0x83 is an IN endpoint", refused.Message, StringComparison.Ordinal);
        refused = Assert.Throws<InvalidOperationException>(() => Interface.GetEndpoint(0x03).Read(new byte[1]));
        Assert.Contains("0x03 is an OUT endpoint", refused.Message, StringComparison.Ordinal);
        refused = Assert.Throws<InvalidOperationException>(() => Interface.GetEndpoint(0x84).Read(new byte[1]));
        Assert.Contains("0x84 is isochronous", refused.Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => { _ = Interface.GetEndpoint(0x84).ReadAsync(new byte[1]); });
        Assert.Throws<InvalidOperationException>(() => { _ = Interface.GetEndpoint(0x83).WriteAsync(new byte[1]); });
    }

    [BusFact]
    public void An_endpoint_is_stale_after_its_setting_changed()
    {
        UsbEndpoint before = Interface.GetEndpoint(0x81);
        Interface.SetAlternateSetting(1);
        AssertStale(before);
        UsbEndpoint other = Interface.GetEndpoint(0x83);
        Interface.SetAlternateSetting(0);
        AssertStale(before); // stays stale although the old setting is active again
        AssertStale(other);
        Interface.SetAlternateSetting(0); // even the setting that is already active
        Device.Packets(0x81).Send([1]);
        Assert.Equal(1, Interface.GetEndpoint(0x81).Read(new byte[8], Patience));
    }

    [BusFact]
    public void An_endpoint_is_stale_for_every_claim_of_its_interface()
    {
        using UsbInterface second = Handle.ClaimInterface(0);
        UsbEndpoint endpoint = second.GetEndpoint(0x81);
        Interface.SetAlternateSetting(1);
        AssertStale(endpoint);
        Assert.Equal(0x83, second.Endpoints[0].Address);
    }

    [PreloadOnly(KernelLimits.Resets)]
    [BusFact]
    public void An_endpoint_is_stale_after_a_reset()
    {
        UsbEndpoint before = Interface.GetEndpoint(0x81);
        Handle.Reset();
        AssertStale(before);
        Device.Packets(0x81).Send([1]);
        Assert.Equal(1, Interface.GetEndpoint(0x81).Read(new byte[8], Patience));
    }

    [BusFact]
    public void A_halt_is_cleared()
    {
        UsbEndpoint endpoint = Interface.GetEndpoint(0x81);
        Device.Endpoint(0x81).Halt();
        UsbException halted = Assert.Throws<UsbException>(() => endpoint.Read(new byte[8], Patience));
        Assert.Equal(UsbError.Pipe, halted.Error);
        endpoint.ClearHalt();
        Assert.False(Device.Endpoint(0x81).IsHalted);
        Device.Packets(0x81).Send([1]);
        Assert.Equal(1, endpoint.Read(new byte[8], Patience));
        Assert.Equal(UsbError.Success, endpoint.TryClearHalt());
        Bus.Detach(Device);
        Assert.Equal(UsbError.NoDevice, endpoint.TryClearHalt());
        Assert.Equal("clear the halt of endpoint 0x81", Assert.Throws<UsbException>(endpoint.ClearHalt).Operation);
    }

    [BusFact]
    public async Task Control_requests_are_addressed_to_the_endpoint()
    {
        UsbEndpoint endpoint = Interface.GetEndpoint(0x81);
        byte[] buffer = new byte[8];
        Assert.Equal(3, endpoint.ControlRead(UsbRequestKind.Class, 0x81, 0x0100, buffer));
        Assert.Equal(TwoSettingsDevice.Answer, buffer[..3]);
        Assert.Equal(new SetupPacket(0xa2, 0x81, 0x0100, 0x81, 8), Device.LastSetup);
        Assert.Equal(2, endpoint.ControlWrite(UsbRequestKind.Class, 1, 0x0100, [7, 8]));
        Assert.Equal(new SetupPacket(0x22, 1, 0x0100, 0x81, 2), Device.LastSetup);
        Assert.Equal(new byte[] { 7, 8 }, Device.LastData);
        Array.Clear(buffer);
        Assert.Equal(3, await endpoint.ControlReadAsync(UsbRequestKind.Vendor, 2, 3, buffer));
        Assert.Equal(TwoSettingsDevice.Answer, buffer[..3]);
        Assert.Equal(new SetupPacket(0xc2, 2, 3, 0x81, 8), Device.LastSetup);
        Assert.Equal(1, await endpoint.ControlWriteAsync(UsbRequestKind.Vendor, 4, 5, new byte[] { 6 }));
        Assert.Equal(new SetupPacket(0x42, 4, 5, 0x81, 1), Device.LastSetup);
    }

    [BusFact]
    public void Control_requests_to_the_endpoint_return_their_error()
    {
        UsbEndpoint endpoint = Interface.GetEndpoint(0x81);
        byte[] buffer = new byte[8];
        Assert.Equal(UsbError.Success, endpoint.TryControlRead(UsbRequestKind.Class, 0x81, 0x0100, buffer, out int received, Patience));
        Assert.Equal(TwoSettingsDevice.Answer, buffer[..received]);
        Assert.Equal(new SetupPacket(0xa2, 0x81, 0x0100, 0x81, 8), Device.LastSetup);
        Assert.Equal(UsbError.Success, endpoint.TryControlWrite(UsbRequestKind.Class, 1, 0x0100, [7, 8], out int sent, Patience));
        Assert.Equal(new SetupPacket(0x22, 1, 0x0100, 0x81, 2), Device.LastSetup);
        Assert.Equal((2, 7), (sent, Device.LastData[0]));
        Device.ControlEndpoint.FailNext(UrbStatus.Stall);
        Assert.Equal(UsbError.Pipe, endpoint.TryControlRead(UsbRequestKind.Class, 0x81, 0x0100, buffer, out received, Patience));
        Device.ControlEndpoint.FailNext(UrbStatus.Stall);
        Assert.Equal(UsbError.Pipe, endpoint.TryControlWrite(UsbRequestKind.Class, 1, 0x0100, [7, 8], out sent, Patience));
        Assert.Equal((0, 0), (received, sent));
        Assert.Throws<ArgumentOutOfRangeException>(() => endpoint.TryControlRead(UsbRequestKind.Class, 1, 2, buffer, out _, TimeSpan.Zero));
        Assert.Throws<ArgumentOutOfRangeException>(() => endpoint.TryControlWrite(UsbRequestKind.Class, 1, 2, [], out _, TimeSpan.Zero));
    }

    [BusFact]
    public void Raw_input_and_output_is_for_Windows()
    {
        UsbEndpoint endpoint = Interface.GetEndpoint(0x81);
        Assert.False(endpoint.SupportsRawIO);
        Exception refused = Assert.ThrowsAny<Exception>(() => endpoint.SetRawIO(true));
        Assert.True(refused is UsbException { Error: UsbError.NotSupported } or UsbNotSupportedException, refused.ToString());
    }

    [BusFact]
    public void Disposing_the_claim_disposes_the_transfers_of_the_endpoint()
    {
        UsbInterface second = Handle.ClaimInterface(0);
        using UsbTransfer transfer = second.GetEndpoint(0x81).CreateTransfer();
        transfer.SetBulk(0x81, 64);
        transfer.Submit();
        second.Dispose(); // not the last claim
        Assert.True(transfer.IsDisposed);
        Device.Packets(0x81).Send([1]);
        Assert.Equal(1, Interface.GetEndpoint(0x81).Read(new byte[8], Patience));
    }

    private static void AssertStale(UsbEndpoint endpoint)
    {
        Assert.True(endpoint.IsStale);
        foreach (Action use in (Action[])[
            () => endpoint.Read(new byte[8]), () => endpoint.Write([1]), () => { _ = endpoint.ReadAsync(new byte[8]); }, () => { _ = endpoint.WriteAsync(new byte[8]); },
            endpoint.ClearHalt, () => { _ = endpoint.ClearHaltAsync(); }, () => { _ = endpoint.TryClearHaltAsync(); }, () => endpoint.CreateTransfer(),
            () => _ = endpoint.SupportsRawIO, () => endpoint.ControlRead(UsbRequestKind.Class, 1, 2, new byte[8]),
            () => endpoint.TryControlRead(UsbRequestKind.Class, 1, 2, new byte[8], out _), () => endpoint.TryControlWrite(UsbRequestKind.Class, 1, 2, [], out _)])
        {
            InvalidOperationException stale = Assert.Throws<InvalidOperationException>(use);
            Assert.Contains("is stale", stale.Message, StringComparison.Ordinal);
        }
    }

    private string Lengths(byte endpoint) => string.Join(' ', Device.Packets(endpoint).Received.Select(static one => one.Length));
}
