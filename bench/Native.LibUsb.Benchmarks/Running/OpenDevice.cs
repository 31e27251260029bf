using Native.LibUsb.Interop;

namespace Native.LibUsb.Benchmarks.Running;

/// <summary>Represents a context and an open device with interface 0 claimed.</summary>
internal sealed unsafe class OpenDevice : IDisposable
{
    private OpenDevice(ushort product, int alternateSetting)
    {
        Context = new UsbContext();
        using UsbDevice device = Context.FindDevice(BenchmarkDevices.Vendor, product) ?? throw new InvalidOperationException("The device of the benchmark is not on the bus.");
        Handle = device.Open();
        UsbInterface claimed = Handle.ClaimInterface(0);
        if (alternateSetting != 0)
            claimed.SetAlternateSetting(alternateSetting);
        Endpoint = claimed.GetEndpoint(BenchmarkDevices.In);
    }

    public UsbContext Context { get; }

    public UsbDeviceHandle Handle { get; }

    /// <summary>Gets the IN endpoint.</summary>
    public UsbEndpoint Endpoint { get; }

    public libusb_context* NativeContext => Context.DangerousGetContext();

    public libusb_device_handle* NativeHandle => Handle.DangerousGetHandle();

    public static OpenDevice Bulk() => new(BenchmarkDevices.Bulk, 0);

    public static OpenDevice Isochronous() => new(BenchmarkDevices.Isochronous, 1);

    public void Dispose()
    {
        Handle.Dispose();
        Context.Dispose();
    }
}
