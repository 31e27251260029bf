using Native.LibUsb.Interop;
using Native.LibUsb.Testing;
using static Native.LibUsb.Interop.libusb;

namespace Native.LibUsb.Tests.Bus;

public sealed unsafe class ControlTests
{
    private static VirtualDevice Echo()
    {
        byte[] stored = [];
        return new VirtualDevice(new DeviceDescription())
        {
            ControlHandler = urb =>
            {
                switch (urb.Setup.RequestType, urb.Setup.Request)
                {
                    case (0x40, 1):
                        stored = urb.Buffer.ToArray();
                        urb.Accept();
                        return true;
                    case (0xc0, 2):
                        urb.CompleteWith(stored);
                        return true;
                    case (0xc0, 3): // returns the fields of the setup packet
                        urb.CompleteWith([(byte)urb.Setup.Value, (byte)(urb.Setup.Value >> 8), (byte)urb.Setup.Index, (byte)(urb.Setup.Index >> 8), (byte)urb.Setup.Length]);
                        return true;
                    case (0xc0, 4): // never completes the request
                        return true;
                    default:
                        return false;
                }
            },
        };
    }

    [BusFact]
    public void Vendor_requests_carry_data_both_ways()
    {
        using Watchdog watchdog = new();
        VirtualDevice device = Echo();
        using RawHost host = new(device);
        libusb_device_handle* handle = host.Open(device, claim: -1);
        byte* data = stackalloc byte[4096];
        for (int i = 0; i < 4096; i++)
            data[i] = (byte)(i ^ (i >> 8));
        Assert.Equal(4096, libusb_control_transfer(handle, 0x40, 1, 0, 0, data, 4096, 0));
        byte* back = stackalloc byte[4096];
        Assert.Equal(4096, libusb_control_transfer(handle, 0xc0, 2, 0, 0, back, 4096, 0));
        Assert.True(new Span<byte>(data, 4096).SequenceEqual(new Span<byte>(back, 4096)));
        Assert.Equal(10, libusb_control_transfer(handle, 0xc0, 2, 0, 0, back, 10, 0));
        Assert.Equal(0, libusb_control_transfer(handle, 0x40, 1, 0, 0, null, 0, 0));
        Assert.Equal(0, libusb_control_transfer(handle, 0xc0, 2, 0, 0, back, 10, 0));
        Assert.Equal(5, libusb_control_transfer(handle, 0xc0, 3, 0x1234, 0x5678, back, 64, 0));
        Assert.Equal(new byte[] { 0x34, 0x12, 0x78, 0x56, 64 }, new Span<byte>(back, 5).ToArray());
    }

    [BusFact]
    public void An_unknown_request_stalls_and_the_next_one_works()
    {
        using Watchdog watchdog = new();
        VirtualDevice device = Echo();
        using RawHost host = new(device);
        libusb_device_handle* handle = host.Open(device, claim: -1);
        byte* data = stackalloc byte[8];
        Assert.Equal((int)libusb_error.LIBUSB_ERROR_PIPE, libusb_control_transfer(handle, 0xc0, 99, 0, 0, data, 8, 0));
        Assert.Equal(5, libusb_control_transfer(handle, 0xc0, 3, 0, 0, data, 8, 0));
    }

    [BusFact]
    public void A_request_that_is_never_answered_times_out()
    {
        using Watchdog watchdog = new();
        VirtualDevice device = Echo();
        using RawHost host = new(device);
        libusb_device_handle* handle = host.Open(device, claim: -1);
        byte* data = stackalloc byte[8];
        Assert.Equal((int)libusb_error.LIBUSB_ERROR_TIMEOUT, libusb_control_transfer(handle, 0xc0, 4, 0, 0, data, 8, 20));
        Assert.Equal(1, device.ControlEndpoint.Unlinked);
        Assert.Empty(device.ControlEndpoint.Pending);
    }

    [BusFact]
    public void Standard_requests_are_answered_from_the_state()
    {
        using Watchdog watchdog = new();
        IsoSource source = new();
        using RawHost host = new(source);
        libusb_device_handle* handle = host.Open(source, alternate: 3);
        byte* data = stackalloc byte[8];
        Assert.Equal(1, libusb_control_transfer(handle, 0x81, 10, 0, 0, data, 8, 0)); // GET_INTERFACE
        Assert.Equal(3, data[0]);
        Assert.Equal(1, libusb_control_transfer(handle, 0x80, 8, 0, 0, data, 8, 0)); // GET_CONFIGURATION
        Assert.Equal(1, data[0]);
        source.Source.Halt();
        Assert.Equal(2, libusb_control_transfer(handle, 0x82, 0, 0, 0x81, data, 2, 0)); // GET_STATUS
        Assert.Equal(1, data[0]);
        RawHost.Check(libusb_clear_halt(handle, 0x81));
        Assert.Equal(2, libusb_control_transfer(handle, 0x82, 0, 0, 0x81, data, 2, 0));
        Assert.Equal(0, data[0]);
    }
}
