using BenchmarkDotNet.Attributes;
using Native.LibUsb.Benchmarks.Running;

namespace Native.LibUsb.Benchmarks.Subjects;

/// <summary>
/// Submits one bulk transfer of 512 bytes repeatedly, and awaits each submission. An event thread completes the transfer, so each await costs at least one
/// thread switch.
/// </summary>
[BenchmarkCategory(Categories.NoAllocation)]
public class AwaitedTransfer
{
    private const int Transfers = 2048;

    private OpenDevice _device = null!;
    private UsbEventThread _events = null!;
    private UsbTransfer _transfer = null!;

    /// <summary>Gets or sets whether the awaiting code continues inside libusb's callback (true) or on the thread pool (false).</summary>
    [Params(false, true)]
    public bool ContinueOnEventThread { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        PoolThreads.Fix();
        _device = OpenDevice.Bulk();
        _events = _device.Context.StartEventThread();
        _transfer = _device.Handle.CreateTransfer();
        _transfer.SetBulk(BenchmarkDevices.In, 512);
        _transfer.ContinueOnEventThread = ContinueOnEventThread;
    }

    [GlobalCleanup]
    public void CleanUp()
    {
        _transfer.Dispose();
        _events.Dispose();
        _device.Dispose();
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Transfers, Description = "await SubmitAsync()")]
    public async Task SubmitAsync()
    {
        for (int i = 0; i < Transfers; i++)
            await _transfer.SubmitAsync().ConfigureAwait(false);
    }

    [Benchmark(OperationsPerInvoke = Transfers, Description = "await TrySubmitAsync()")]
    public async Task TrySubmitAsync()
    {
        for (int i = 0; i < Transfers; i++)
        {
            UsbTransferOutcome outcome = await _transfer.TrySubmitAsync().ConfigureAwait(false);
            if (outcome.Error != UsbError.Success)
                throw new UsbException(outcome.Error, "read");
        }
    }
}
