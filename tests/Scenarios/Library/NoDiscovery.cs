using Microsoft.Win32.SafeHandles;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Library;

/// <summary>Checks a context that has no device discovery.</summary>
internal static class NoDiscovery
{
    public static void Check(UsbContext context, BulkLoopback loopback) =>
        Check(context, $"/dev/bus/usb/{loopback.BusNumber:D3}/{loopback.DeviceNumber:D3}");

    /// <param name="context">The context without device discovery.</param>
    /// <param name="node">The path of the device node of a loopback device.</param>
    public static void Check(UsbContext context, string node)
    {
        Assert.False(context.HasDeviceDiscovery);
        using (UsbDeviceList devices = context.GetDevices())
            Assert.Empty(devices);
        UsbException refused = Assert.Throws<UsbException>(() => context.RegisterHotplug(_ => { }));
        Assert.Equal(UsbError.NotSupported, refused.Error);
        Assert.Contains("no device discovery", refused.Hint, StringComparison.Ordinal);
        Assert.Throws<UsbException>(() => context.WatchDevicesAsync());

        using SafeFileHandle file = File.OpenHandle(node, FileMode.Open, FileAccess.ReadWrite);
        using UsbDeviceHandle handle = context.WrapSystemDevice(file);
        using UsbInterface claim = handle.ClaimInterface(0);
        Assert.Equal(2, handle.At(BulkLoopback.OutAddress).Write([1, 2], TimeSpan.FromSeconds(30)));
        Assert.Equal(2, handle.At(BulkLoopback.InAddress).Read(new byte[512], TimeSpan.FromSeconds(30)));
        Assert.Null(handle.Device.GetParent());
        using (UsbDeviceList devices = context.GetDevices())
            Assert.Empty(devices);
    }
}
