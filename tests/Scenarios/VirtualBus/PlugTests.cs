using System.Runtime.InteropServices;
using Native.LibUsb.Interop;
using Native.LibUsb.Testing;
using static Native.LibUsb.Interop.libusb;

namespace Native.LibUsb.Tests.Bus;

public sealed unsafe class PlugTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    [BusFact]
    public void Plugging_in_and_unplugging_are_reported_to_hotplug_callbacks()
    {
        using Watchdog watchdog = new();
        using RawHost host = new();
        Counts counts = default;
        int registration;
        RawHost.Check(libusb_hotplug_register_callback(host.Context, 3, 0, 0x1209, 0x11, LIBUSB_HOTPLUG_MATCH_ANY, &OnEvent, &counts, &registration));
        BulkLoopback loopback = new();
        host.Bus.Attach(loopback);
        while (Volatile.Read(ref counts.Arrived) == 0)
            RawHost.Check(libusb_handle_events_completed(host.Context, &counts.Arrived));
        Assert.Equal((1, 0), (counts.Arrived, counts.Left));
        host.Bus.Detach(loopback);
        Assert.False(loopback.IsAttached);
        while (Volatile.Read(ref counts.Left) == 0)
            RawHost.Check(libusb_handle_events_completed(host.Context, &counts.Left));
        host.Bus.Attach(loopback, "1-4");
        counts.Arrived = 0;
        while (Volatile.Read(ref counts.Arrived) == 0)
            RawHost.Check(libusb_handle_events_completed(host.Context, &counts.Arrived));
        Assert.Equal((1, 1), (counts.Arrived, counts.Left));
        libusb_hotplug_deregister_callback(host.Context, registration);
    }

    [BusFact]
    public void Unplugging_completes_every_transfer()
    {
        using Watchdog watchdog = new();
        BulkLoopback loopback = new();
        using RawHost host = new(loopback);
        libusb_device_handle* handle = host.Open(loopback);
        RawTransfer[] transfers = [.. Enumerable.Range(0, 50).Select(_ => RawTransfer.Bulk(host, handle, BulkLoopback.InAddress, 4096).Submit())];
        Assert.True(loopback.Endpoint(BulkLoopback.InAddress).WaitForPending(50, s_limit));
        host.Bus.Detach(loopback);
        foreach (RawTransfer transfer in transfers)
            Assert.Equal(libusb_transfer_status.LIBUSB_TRANSFER_NO_DEVICE, transfer.Wait().Status);
        Assert.All(transfers, t => Assert.Equal(1, t.Callbacks));
        Assert.Equal((int)libusb_error.LIBUSB_ERROR_NO_DEVICE, transfers[0].TrySubmit());
        byte data;
        Assert.Equal((int)libusb_error.LIBUSB_ERROR_NO_DEVICE, libusb_control_transfer(handle, 0x80, 8, 0, 0, &data, 1, 100));
        Assert.Equal((int)libusb_error.LIBUSB_ERROR_NO_DEVICE, libusb_claim_interface(handle, 0));
        foreach (RawTransfer transfer in transfers)
            transfer.Dispose();
    }

    [BusFact]
    public void A_device_can_unplug_itself_in_the_middle_of_a_stream()
    {
        using Watchdog watchdog = new();
        IsoSource source = new(new IsoSourceOptions { Paced = false, UnplugAfterPackets = 100 });
        using RawHost host = new(source);
        libusb_device_handle* handle = host.Open(source, alternate: 1);
        using RawTransfer transfer = RawTransfer.Iso(host, handle, IsoSource.EndpointAddress, 16, 512);
        NumberedPatternChecker checker = new(0);
        int result;
        do
        {
            result = transfer.TrySubmit();
            if (result == 0)
            {
                transfer.Wait();
                for (int i = 0; i < 16 && transfer.Status == libusb_transfer_status.LIBUSB_TRANSFER_COMPLETED; i++)
                    checker.AddPacket(transfer.PacketData(i));
            }
        }
        while (result == 0 && transfer.Status == libusb_transfer_status.LIBUSB_TRANSFER_COMPLETED);
        Assert.True(result == (int)libusb_error.LIBUSB_ERROR_NO_DEVICE || transfer.Status == libusb_transfer_status.LIBUSB_TRANSFER_NO_DEVICE);
        Assert.Equal(112, checker.Packets);
        Assert.True(checker.IsPerfect, checker.ToString());
    }

    [BusFact]
    public void A_device_can_unplug_itself_in_its_callback_and_be_plugged_in_again()
    {
        using Watchdog watchdog = new();
        VirtualDevice device = new(new DeviceDescription());
        device.ControlHandler = _ =>
        {
            device.Unplug();
            return true; // never completes the request
        };
        using RawHost host = new(device);
        for (int round = 0; round < Rounds.Of(20); round++)
        {
            libusb_device_handle* handle = host.Open(device, claim: -1);
            Assert.Equal((int)libusb_error.LIBUSB_ERROR_NO_DEVICE, libusb_control_transfer(handle, 0x40, 1, 0, 0, null, 0, 0));
            host.Close(handle);
            SpinWait.SpinUntil(() => !host.Bus.Devices.Contains(device));
            host.Bus.Attach(device);
            libusb_device* found;
            while ((found = host.Find(device)) == null) // the hotplug thread of libusb adds the device
            {
            }
            libusb_unref_device(found);
        }
    }

    [BusFact]
    public void Devices_do_not_disturb_each_other()
    {
        using Watchdog watchdog = new();
        BulkLoopback[] loopbacks = [.. Enumerable.Range(0, 8).Select(i => new BulkLoopback(new BulkLoopbackOptions { SerialNumber = $"{i}" }))];
        using RawHost host = new([.. loopbacks]);
        nint[] handles = [.. loopbacks.Select(l => (nint)host.Open(l))];
        RawTransfer[] inputs = [.. handles.Select(h => RawTransfer.Bulk(host, (libusb_device_handle*)h, BulkLoopback.InAddress, 512).Submit())];
        host.Bus.Detach(loopbacks[3]);
        for (int i = 0; i < 8; i++)
        {
            if (i == 3)
                continue;
            using RawTransfer output = RawTransfer.Bulk(host, (libusb_device_handle*)handles[i], BulkLoopback.OutAddress, 10 + i);
            output.Submit().Wait().Expect(libusb_transfer_status.LIBUSB_TRANSFER_COMPLETED, 10 + i);
            inputs[i].Wait().Expect(libusb_transfer_status.LIBUSB_TRANSFER_COMPLETED, 10 + i);
        }
        Assert.Equal(libusb_transfer_status.LIBUSB_TRANSFER_NO_DEVICE, inputs[3].Wait().Status);
        foreach (RawTransfer transfer in inputs)
            transfer.Dispose();
    }

    [UnmanagedCallersOnly]
    private static int OnEvent(libusb_context* context, libusb_device* device, libusb_hotplug_event kind, void* user)
    {
        Counts* counts = (Counts*)user;
        if (kind == libusb_hotplug_event.LIBUSB_HOTPLUG_EVENT_DEVICE_ARRIVED)
            counts->Arrived++;
        else
            counts->Left++;
        return 0;
    }

    private struct Counts
    {
        public int Arrived;
        public int Left;
    }
}
