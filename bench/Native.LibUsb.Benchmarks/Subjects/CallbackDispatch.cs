using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using Native.LibUsb.Benchmarks.Running;
using Native.LibUsb.Interop;

namespace Native.LibUsb.Benchmarks.Subjects;

/// <summary>
/// Measures one callback. For 64 transfers in a row, C code calls <c>transfer->callback(transfer)</c>, as libusb does when it reaps a transfer. The benchmark
/// submits no transfer. A callback of the facade finds its managed transfer only while the transfer is rooted, that is, protected from the garbage collector.
/// In a program, Submit roots the transfer. Here, the benchmark itself roots each facade transfer before the callback. To compare the results with C, subtract
/// the cost of rooting, which a separate benchmark measures.
/// </summary>
[BenchmarkCategory(Categories.NoAllocation)]
public unsafe class CallbackDispatch
{
    private const int Transfers = 64;

    private static int s_count;

    private OpenDevice _device = null!;
    private UsbTransfer[] _transfers = null!;
    private GCHandle[] _roots = null!;
    private libusb_transfer** _natives;
    private int* _countOfC;

    [GlobalSetup(Target = nameof(CToC))]
    public void SetUpC() => SetUp(CCode.CountInC);

    [GlobalSetup(Targets = [nameof(RawLayer), nameof(Rooting)])]
    public void SetUpRaw() => SetUp(&OnCompleted);

    [GlobalSetup(Target = nameof(FunctionPointer))]
    public void SetUpFunctionPointer() => SetUp(null, transfer => transfer.SetHandler(&Count));

    [GlobalSetup(Target = nameof(HandlerStruct))]
    public void SetUpHandlerStruct() => SetUp(null, transfer => transfer.SetHandler<Handler>());

    [GlobalSetup(Target = nameof(Delegate))]
    public void SetUpDelegate() => SetUp(null, transfer => transfer.Callback = static transfer => Count(transfer));

    [GlobalCleanup]
    public void CleanUp()
    {
        foreach (UsbTransfer transfer in _transfers)
            transfer.Dispose();
        NativeMemory.Free(_natives);
        NativeMemory.Free(_countOfC);
        _device.Dispose();
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Transfers, Description = "C calls C")]
    [BenchmarkCategory(Categories.Short)]
    public void CToC() => CCode.Dispatch(_natives, Transfers);

    [Benchmark(OperationsPerInvoke = Transfers, Description = "raw layer: UnmanagedCallersOnly")]
    [BenchmarkCategory(Categories.Short)]
    public void RawLayer() => CCode.Dispatch(_natives, Transfers);

    [Benchmark(OperationsPerInvoke = Transfers, Description = "facade: rooting alone")]
    [BenchmarkCategory(Categories.Short)]
    public void Rooting() => Root();

    [Benchmark(OperationsPerInvoke = Transfers, Description = "facade: SetHandler(&M), with rooting")]
    public void FunctionPointer() => RootAndDispatch();

    [Benchmark(OperationsPerInvoke = Transfers, Description = "facade: SetHandler<T>(), with rooting")]
    [BenchmarkCategory(Categories.Short)]
    public void HandlerStruct() => RootAndDispatch();

    [Benchmark(OperationsPerInvoke = Transfers, Description = "facade: Callback (delegate), with rooting")]
    public void Delegate() => RootAndDispatch();

    [UnmanagedCallersOnly]
    private static void OnCompleted(libusb_transfer* transfer) => ++*(int*)transfer->user_data;

    private static void Count(UsbTransfer transfer) => s_count += transfer.ActualLength + 1;

    private void SetUp(delegate* unmanaged<libusb_transfer*, void> callback, Action<UsbTransfer>? handle = null)
    {
        _device = OpenDevice.Bulk();
        _transfers = new UsbTransfer[Transfers];
        _roots = new GCHandle[Transfers];
        _natives = (libusb_transfer**)NativeMemory.AllocZeroed(Transfers, (nuint)sizeof(libusb_transfer*));
        _countOfC = (int*)NativeMemory.AllocZeroed(sizeof(int));
        for (int i = 0; i < Transfers; i++)
        {
            UsbTransfer transfer = _transfers[i] = _device.Handle.CreateTransfer();
            transfer.SetBulk(BenchmarkDevices.In, 512);
            _natives[i] = transfer.DangerousGetTransfer();
            _roots[i] = GCHandle.FromIntPtr((nint)_natives[i]->user_data);
            if (callback is not null)
            {
                _natives[i]->callback = callback;
                _natives[i]->user_data = _countOfC;
            }

            handle?.Invoke(transfer);
        }

        s_count = 0;
        RootAndDispatch();
        if (callback is null ? s_count != Transfers : *_countOfC != Transfers)
            throw new InvalidOperationException("Not every callback was called.");
    }

    private void Root()
    {
        for (int i = 0; i < Transfers; i++)
            _roots[i].Target = _transfers[i];
    }

    private void RootAndDispatch()
    {
        Root();
        CCode.Dispatch(_natives, Transfers);
    }

    private readonly struct Handler : IUsbTransferHandler
    {
        public static void OnCompleted(UsbTransfer transfer) => Count(transfer);
    }
}
