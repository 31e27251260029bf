using System.Runtime.InteropServices;
using Native.LibUsb.Interop;
using Native.LibUsb.Testing;
using static Native.LibUsb.Interop.libusb;

namespace Native.LibUsb.Tests.Bus;

/// <summary>Tests a reset after which a different device is at the port, as after a firmware download.</summary>
public sealed unsafe class SuccessorTests
{
    private const ushort LoaderId = 0x0011, ApplicationId = 0x0099;

    [PreloadOnly(KernelLimits.Resets)]
    [BusFact]
    public void Another_device_appears_after_a_reset()
    {
        using Watchdog watchdog = new();
        BulkLoopback loader = new(), application = new(new BulkLoopbackOptions { ProductId = ApplicationId });
        loader.Successor = application;
        using RawHost host = new(loader);
        int loaderHasLeft = 0, applicationHasCome = 0, registration;
        RawHost.Check(libusb_hotplug_register_callback(host.Context, 2, 0, 0x1209, LoaderId, LIBUSB_HOTPLUG_MATCH_ANY, &OnEvent, &loaderHasLeft, &registration));
        RawHost.Check(libusb_hotplug_register_callback(host.Context, 1, 0, 0x1209, ApplicationId, LIBUSB_HOTPLUG_MATCH_ANY, &OnEvent, &applicationHasCome, &registration));
        libusb_device_handle* handle = host.Open(loader);
        using RawTransfer transfer = RawTransfer.Bulk(host, handle, BulkLoopback.InAddress, 512);
        (string port, int number) = (loader.PortPath!, loader.DeviceNumber);

        Assert.Equal((int)libusb_error.LIBUSB_ERROR_NOT_FOUND, libusb_reset_device(handle));
        Assert.Equal((int)libusb_error.LIBUSB_ERROR_NO_DEVICE, transfer.TrySubmit());
        while (Volatile.Read(ref loaderHasLeft) == 0)
            RawHost.Check(libusb_handle_events_completed(host.Context, &loaderHasLeft));
        while (Volatile.Read(ref applicationHasCome) == 0)
            RawHost.Check(libusb_handle_events_completed(host.Context, &applicationHasCome));
        Assert.False(loader.IsAttached);
        Assert.True(application.WaitUntil(() => application.IsAttached, TimeSpan.FromSeconds(30)));
        Assert.Equal(port, application.PortPath);
        Assert.NotEqual(number, application.DeviceNumber);
        Assert.Equal((1, 0), (loader.Resets, application.Resets));

        // The first reset has replaced the loader with its successor, the application. After this reset, neither device has a successor. A reset of the
        // application therefore replaces nothing.
        libusb_device_handle* other = host.Open(application);
        RawHost.Check(libusb_reset_device(other));
        using RawTransfer output = RawTransfer.Bulk(host, other, BulkLoopback.OutAddress, 10);
        output.Submit().Wait().Expect(libusb_transfer_status.LIBUSB_TRANSFER_COMPLETED, 10);
        Assert.Null(loader.Successor);
    }

    [Fact]
    public void A_device_does_not_succeed_itself()
    {
        BulkLoopback loopback = new();
        Assert.Throws<ArgumentException>(() => loopback.Successor = loopback);
        Assert.Null(loopback.Successor);
    }

    [PreloadOnly(KernelLimits.Resets)]
    [BusFact]
    public void A_device_whose_successor_is_already_on_a_bus_is_only_unplugged()
    {
        using Watchdog watchdog = new();
        BulkLoopback loader = new(), application = new(new BulkLoopbackOptions { ProductId = ApplicationId });
        loader.Successor = application;
        using RawHost host = new(loader, application);
        string port = application.PortPath!;
        Assert.Equal((int)libusb_error.LIBUSB_ERROR_NOT_FOUND, libusb_reset_device(host.Open(loader)));
        Assert.True(SpinWait.SpinUntil(() => !host.Bus.Devices.Contains(loader), TimeSpan.FromSeconds(30)));
        Assert.Equal(port, application.PortPath);
    }

    [UnmanagedCallersOnly]
    private static int OnEvent(libusb_context* context, libusb_device* device, libusb_hotplug_event kind, void* user)
    {
        Volatile.Write(ref *(int*)user, 1);
        return 0;
    }
}
