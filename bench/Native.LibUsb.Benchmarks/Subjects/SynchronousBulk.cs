using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using Native.LibUsb.Benchmarks.Running;
using Native.LibUsb.Interop;

namespace Native.LibUsb.Benchmarks.Subjects;

/// <summary>Measures one blocking read of 512 bytes from a bulk endpoint that completes immediately.</summary>
[BenchmarkCategory(Categories.NoAllocation, Categories.Short)]
public unsafe class SynchronousBulk
{
    private const int Length = 512, Reads = 64;

    private readonly byte[] _buffer = new byte[Length];
    private OpenDevice _device = null!;
    private byte* _native;

    [GlobalSetup]
    public void SetUp()
    {
        _device = OpenDevice.Bulk();
        _native = (byte*)NativeMemory.Alloc(Length);
        if (C() != Reads * Length || Raw() != Reads * Length || Facade() != Reads * Length)
            throw new InvalidOperationException("Not every read was full.");
    }

    [GlobalCleanup]
    public void CleanUp()
    {
        NativeMemory.Free(_native);
        _device.Dispose();
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Reads, Description = "C")]
    public int C() => CCode.BulkReads(_device.NativeHandle, BenchmarkDevices.In, _native, Length, Reads);

    [Benchmark(OperationsPerInvoke = Reads, Description = "raw layer")]
    public int Raw()
    {
        int total = 0;
        for (int i = 0; i < Reads; i++)
        {
            int transferred;
            UsbException.ThrowIfError(libusb.libusb_bulk_transfer(_device.NativeHandle, BenchmarkDevices.In, _native, Length, &transferred, 0), "read");
            total += transferred;
        }

        return total;
    }

    [Benchmark(OperationsPerInvoke = Reads, Description = "facade: UsbEndpoint.Read")]
    public int Facade()
    {
        int total = 0;
        for (int i = 0; i < Reads; i++)
            total += _device.Endpoint.Read(_buffer);
        return total;
    }
}
