using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Tests that the exception for using a disposed object contains the name of the object's public type.</summary>
public sealed class DisposedNameTests : BusTest
{
    public DisposedNameTests() => Bus.Attach(new BulkLoopback());

    [BusFact]
    public void The_exception_for_a_device_disposed_with_its_list_explains_how_to_keep_it()
    {
        UsbDevice kept;
        using (UsbDeviceList devices = Context.GetDevices())
            kept = devices.First(static device => device.VendorId == 0x1209);
        foreach (Action use in UsesOf(kept))
        {
            ObjectDisposedException disposed = Named("Native.LibUsb.UsbDevice", use);
            Assert.Contains("Its list was disposed: keep the device with UsbDeviceList.Take or UsbDevice.AddReference.", disposed.Message, StringComparison.Ordinal);
        }
    }

    [BusFact]
    public void A_device_that_was_disposed_is_named()
    {
        UsbDevice device = Context.FindDevice(0x1209, 0x0011)!;
        device.Dispose();
        foreach (Action use in UsesOf(device))
            Assert.DoesNotContain("list", Named("Native.LibUsb.UsbDevice", use).Message, StringComparison.Ordinal);

        UsbDevice taken;
        using (UsbDeviceList devices = Context.GetDevices())
            taken = devices.Take(devices.First(static one => one.VendorId == 0x1209));
        using UsbDeviceHandle handle = taken.Open();
        taken.Dispose();
        Assert.DoesNotContain("list", Named("Native.LibUsb.UsbDevice", () => taken.Open()).Message, StringComparison.Ordinal);
    }

    [BusFact]
    public void A_context_that_was_disposed_is_named()
    {
        var context = new UsbContext();
        context.Dispose();
        foreach (Action use in (Action[])[
            () => context.GetDevices(), () => context.FindDevice(1, 2), () => context.HandleEvents(TimeSpan.Zero), () => context.SetLogLevel(UsbLogLevel.None),
            () => context.SetLogHandler(null), () => context.StartEventThread(), () => context.RegisterHotplug(static _ => { }), () => context.WatchDevicesAsync(),
            () => context.WrapSystemDevice(0), () => context.GetNextTimeout(), () => context.GetPollFds(), () => { unsafe { _ = context.DangerousGetContext(); } }])
        {
            Named("Native.LibUsb.UsbContext", use);
        }
    }

    [BusFact]
    public void A_handle_that_was_disposed_is_named()
    {
        using UsbDevice device = Context.FindDevice(0x1209, 0x0011)!;
        UsbDeviceHandle handle = device.Open();
        handle.Dispose();
        foreach (Action use in (Action[])[
            () => handle.ClaimInterface(0), () => handle.GetString(1), () => handle.CreateTransfer(), () => handle.Reset(), () => handle.DetachKernelDriver(0)])
        {
            Named("Native.LibUsb.UsbDeviceHandle", use);
        }

        foreach (Action use in UsesOf(handle.Device))
            Named("Native.LibUsb.UsbDevice", use);
    }

    private static Action[] UsesOf(UsbDevice device) =>
        [() => device.Open(), () => device.AddReference(), () => device.GetParent(), () => device.GetActiveConfigurationDescriptor(), () => device.GetConfigurationDescriptor(0)];

    private static ObjectDisposedException Named(string name, Action use)
    {
        ObjectDisposedException disposed = Assert.Throws<ObjectDisposedException>(use);
        Assert.Equal(name, disposed.ObjectName);
        return disposed;
    }
}
