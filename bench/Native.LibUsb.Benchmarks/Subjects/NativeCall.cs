using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using Native.LibUsb.Benchmarks.Running;
using Native.LibUsb.Interop;

namespace Native.LibUsb.Benchmarks.Subjects;

/// <summary>Measures one call of a libusb function that only reads a field.</summary>
[BenchmarkCategory(Categories.NoAllocation, Categories.Short)]
public unsafe partial class NativeCall
{
    private UsbContext _context = null!;
    private UsbDevice _device = null!;
    private libusb_device* _native;

    [GlobalSetup]
    public void SetUp()
    {
        _context = new UsbContext();
        _device = _context.FindDevice(BenchmarkDevices.Vendor, BenchmarkDevices.Bulk)!;
        _native = _device.DangerousGetDevice();
        if (GetterWithTransition() != Getter())
            throw new InvalidOperationException("The two imports of one function differ.");
    }

    [GlobalCleanup]
    public void CleanUp()
    {
        _device.Dispose();
        _context.Dispose();
    }

    /// <summary>Measures the call of a managed method that is not inlined, without a native call.</summary>
    [Benchmark(Baseline = true, Description = "managed call")]
    public byte ManagedCall() => Read(_native);

    /// <summary>Measures a call of the function as the raw layer imports it. The thread stays in managed mode.</summary>
    [Benchmark(Description = "getter, no GC transition")]
    public byte Getter() => libusb.libusb_get_device_address(_native);

    /// <summary>
    /// Measures a call of libusb_get_device_address through an ordinary P/Invoke, during which the thread leaves managed mode. <see cref="Getter"/> measures a
    /// call of the same function without this transition. The raw layer uses ordinary P/Invokes for functions that do more than read a field.
    /// </summary>
    [Benchmark(Description = "the same, ordinary P/Invoke")]
    public byte GetterWithTransition() => GetDeviceAddress(_native);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static byte Read(libusb_device* device) => (byte)(nint)device;

    [LibraryImport("libusb-1.0.so.0", EntryPoint = "libusb_get_device_address")]
    private static partial byte GetDeviceAddress(libusb_device* device);
}
