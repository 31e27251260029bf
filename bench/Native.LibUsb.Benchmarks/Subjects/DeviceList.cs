using BenchmarkDotNet.Attributes;
using Native.LibUsb.Benchmarks.Running;
using Native.LibUsb.Interop;

namespace Native.LibUsb.Benchmarks.Subjects;

/// <summary>Measures a device list. Each operation requests the list of the sixteen devices and their root hub, reads the list, and frees it.</summary>
[BenchmarkCategory(Categories.Short)]
public unsafe class DeviceList
{
    private UsbContext _context = null!;

    [GlobalSetup]
    public void SetUp()
    {
        _context = new UsbContext();
        int expected = C();
        if (expected == 0 || Raw() != expected || Facade() != expected)
            throw new InvalidOperationException("The lists are not the same.");
    }

    [GlobalCleanup]
    public void CleanUp() => _context.Dispose();

    [Benchmark(Baseline = true, Description = "C")]
    public int C() => CCode.ListDevices(_context.DangerousGetContext());

    [Benchmark(Description = "raw layer")]
    public int Raw()
    {
        libusb_device** list;
        nint count = libusb.libusb_get_device_list(_context.DangerousGetContext(), &list);
        UsbException.ThrowIfError((int)count, "list the devices");
        int sum = 0;
        for (nint i = 0; i < count; i++)
            sum += libusb.libusb_get_device_address(list[i]);
        libusb.libusb_free_device_list(list, 1);
        return sum;
    }

    [Benchmark(Description = "facade")]
    public int Facade()
    {
        int sum = 0;
        using UsbDeviceList devices = _context.GetDevices();
        for (int i = 0; i < devices.Count; i++)
            sum += devices[i].Address;
        return sum;
    }
}
