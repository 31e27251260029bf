using System.Text.Json.Nodes;
using Native.LibUsb.Streaming;

namespace Native.LibUsb.Tests.Kernel;

/// <summary>
/// Tests a pointing device with an interrupt endpoint. Each test sends movements and button presses to QEMU, and therefore knows what the reports must contain.
/// </summary>
public sealed class TabletTests : MachineTest
{
    private const byte Endpoint = 0x81;

    private readonly QemuDevice _tablet;
    private readonly UsbDeviceHandle _handle;

    public TabletTests()
    {
        _tablet = Plug("usb-tablet", "2");
        Sysfs.WaitForDriver(_tablet.Device, 0, "usbhid");
        _handle = _tablet.Device.Open();
        _handle.SetAutoDetachKernelDriver(true);
        _handle.ClaimInterface(0);
    }

    [Fact]
    public void The_tablet_has_the_expected_descriptors()
    {
        Assert.Equal((0x0627, 0x0001), ((int)_tablet.Device.VendorId, (int)_tablet.Device.ProductId));
        Assert.Equal(UsbSpeed.High, _tablet.Device.Speed);
        Assert.Equal("QEMU USB Tablet", _handle.GetString(_tablet.Device.Descriptor.ProductIndex));
        UsbEndpointDescriptor endpoint = EndpointOf(_handle, Endpoint);
        Assert.Equal(UsbTransferType.Interrupt, endpoint.TransferType);
        Assert.Equal(8, endpoint.MaxPacketSize);
        byte[] reportDescriptor = new byte[256];
        int length = _handle.ControlRead(new UsbControlSetup(0x81, 0x06, 0x2200, 0), reportDescriptor, Patience);
        Assert.InRange(length, 50, 100);
        Assert.Equal([0x05, 0x01, 0x09], reportDescriptor[..3]); // generic desktop, usage
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(32767, 32767)]
    [InlineData(1, 12345)]
    [InlineData(256, 255)]
    public void The_position_that_was_sent_is_read(int x, int y)
    {
        Send(Move(x, y));
        Assert.Equal(new HidReport(0, (ushort)x, (ushort)y, 0), ReadReport());
    }

    [Fact]
    public void Buttons_and_wheel_are_separate_reports()
    {
        Send([.. Move(100, 200), Button("left", true)]);
        Send(Button("right", true));
        Send(Button("left", false));
        Send(Button("right", false));
        Assert.Equal(new HidReport(1, 100, 200, 0), ReadReport());
        Assert.Equal(new HidReport(3, 100, 200, 0), ReadReport());
        Assert.Equal(new HidReport(2, 100, 200, 0), ReadReport());
        Assert.Equal(new HidReport(0, 100, 200, 0), ReadReport());
    }

    [Fact]
    public async Task An_asynchronous_transfer_waits_for_the_next_report()
    {
        await using UsbTransfer transfer = _handle.CreateTransfer();
        for (int i = 0; i < 20; i++)
        {
            transfer.SetInterrupt(Endpoint, 8);
            ValueTask<int> waiting = transfer.SubmitAsync();
            Assert.False(waiting.IsCompleted);
            Send(Move(i * 1000, 32767 - i));
            Assert.Equal(HidReport.Length, await waiting);
            Assert.Equal(new HidReport(0, (ushort)(i * 1000), (ushort)(32767 - i), 0), HidReport.Parse(transfer.Data));
        }
    }

    [Fact]
    public async Task A_ring_delivers_every_report_in_order()
    {
        await using UsbInputRing ring = _handle.At(Endpoint).CreateInputRing();
        Assert.Equal(8, ring.TransferSize);
        ring.Start();
        const int bursts = 10, burst = 8; // the tablet queues 16 reports, and merges reports with the same buttons
        for (int i = 0; i < bursts; i++)
        {
            for (int j = 0; j < burst; j++)
                Send([.. Move(i, j), Button("left", j % 2 == 0)]);
            for (int j = 0; j < burst; j++)
            {
                using UsbInputBuffer buffer = await ring.ReadAsync();
                Assert.Equal((i * burst) + j, buffer.Sequence);
                Assert.Equal(new HidReport((byte)(j % 2 == 0 ? 1 : 0), (ushort)i, (ushort)j, 0), HidReport.Parse(buffer.Data));
            }
        }

        await ring.StopAsync();
        UsbRingStatistics statistics = ring.GetStatistics();
        Assert.Equal(bursts * burst * HidReport.Length, statistics.Bytes);
        Assert.Equal(0, statistics.Transfers.Failed);
        Assert.Equal(0, statistics.SubmitFailures);
    }

    [Fact]
    public void A_read_without_a_report_times_out_and_loses_no_later_report()
    {
        Assert.Equal(UsbError.Timeout, _handle.At(Endpoint).TryRead(new byte[8], out int length, TimeSpan.FromMilliseconds(300)));
        Assert.Equal(0, length);
        Send(Move(4711, 815));
        Assert.Equal(new HidReport(0, 4711, 815, 0), ReadReport());
    }

    [Fact]
    public async Task A_pending_transfer_is_cancelled_and_the_next_report_is_not_lost()
    {
        await using UsbTransfer transfer = _handle.CreateTransfer();
        for (int round = 0; round < 10; round++)
        {
            using var stop = new CancellationTokenSource();
            transfer.SetInterrupt(Endpoint, 8);
            ValueTask<int> waiting = transfer.SubmitAsync(stop.Token);
            await stop.CancelAsync();
            UsbTransferCanceledException cancelled = await Assert.ThrowsAsync<UsbTransferCanceledException>(async () => await waiting);
            Assert.Equal(0, cancelled.BytesTransferred);
        }

        Send(Move(1, 2));
        Assert.Equal(new HidReport(0, 1, 2, 0), ReadReport());
    }

    [Fact]
    public void An_unknown_request_stalls()
    {
        Assert.Equal(UsbError.Pipe, _handle.TryControlRead(new UsbControlSetup(0xc0, 0x77, 0, 0), new byte[4], out _, Patience));
        Assert.Equal("QEMU", _handle.GetString(_tablet.Device.Descriptor.ManufacturerIndex)); // endpoint 0 recovers from a stall without a request
    }

    [Fact]
    public void Interfaces_and_settings_that_are_not_there_are_not_found()
    {
        UsbException detaching = Assert.Throws<UsbException>(() => _handle.ClaimInterface(5));
        Assert.Equal(UsbError.InvalidParameter, detaching.Error); // the kernel's error for a claim that also detaches a driver
        Assert.Contains("Interfaces of the active configuration: 0", detaching.Message, StringComparison.Ordinal);
        _handle.SetAutoDetachKernelDriver(false);
        Assert.Equal(UsbError.NotFound, Assert.Throws<UsbException>(() => _handle.ClaimInterface(5)).Error);
        Assert.Equal(UsbError.NotFound, Assert.Throws<UsbException>(() => _handle.ClaimInterface(5).SetAlternateSetting(0)).Error);
        // libusb returns this code when the kernel finds no endpoint with the address.
        using UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetInterrupt(0x85, 8);
        UsbException refused = Assert.Throws<UsbException>(transfer.Submit);
        Assert.Equal(UsbError.IO, refused.Error);
        Assert.Contains("no endpoint 0x85", refused.Hint, StringComparison.Ordinal);
        Assert.Equal(1, _handle.GetConfiguration());
    }

    private static JsonObject[] Move(int x, int y) => [Axis("x", x), Axis("y", y)];

    private static JsonObject Axis(string axis, int value) =>
        new() { ["type"] = "abs", ["data"] = new JsonObject { ["axis"] = axis, ["value"] = value } };

    private static JsonObject Button(string button, bool down) =>
        new() { ["type"] = "btn", ["data"] = new JsonObject { ["button"] = button, ["down"] = down } };

    private static void Send(params JsonObject[] events) =>
        Qmp.Monitor.Execute("input-send-event", new JsonObject { ["events"] = new JsonArray([.. events]) });

    private HidReport ReadReport()
    {
        byte[] report = new byte[8];
        int length = _handle.At(Endpoint).Read(report, Patience);
        return HidReport.Parse(report.AsSpan(0, length));
    }
}
