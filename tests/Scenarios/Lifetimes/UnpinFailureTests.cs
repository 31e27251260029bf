using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>
/// Tests what happens if unpinning the caller's memory throws an exception. The library must release all other resources and report the exception.
/// </summary>
public sealed class UnpinFailureTests : ClosingTest
{
    private readonly InvalidTimeZoneException _failure = new("The memory cannot be unpinned.");
    private readonly ConcurrentQueue<UsbUnhandledCallbackExceptionEventArgs> _reports = new();
    private readonly CountedMemory _memory = new(LifetimeDevice.PacketLength);

    public UnpinFailureTests()
    {
        _memory.Unpinning = () => throw _failure;
        Context.UnhandledCallbackException += (_, report) => _reports.Enqueue(report);
    }

    [BusFact]
    public void A_transfer_that_is_disposed_in_flight_is_freed_after_its_callback()
    {
        Context.StartEventThread();
        UsbTransfer transfer = Make();
        transfer.Submit();
        transfer.Dispose();
        AssertReported(transfer);
        Assert.True(transfer.IsDisposed);
        Assert.True(transfer.DisposeAsync().AsTask().Wait(Patience));
    }

    [BusFact]
    public void A_transfer_that_is_disposed_at_rest_is_freed()
    {
        UsbTransfer transfer = Make();
        transfer.Dispose();
        AssertReported(transfer);
        Assert.True(transfer.IsDisposed);
    }

    [BusTheory]
    [AllCombinations]
    public void A_closing_owner_is_closed_and_the_transfer_is_freed(Closed what)
    {
        UsbTransfer transfer = Make();
        Close(what);
        AssertReported(transfer);
        Assert.True(transfer.IsDisposed);
        Assert.True(CloseAsync(what).AsTask().Wait(Patience));
        AssertFree();
    }

    [BusFact]
    public void A_forgotten_transfer_is_freed()
    {
        Forget();
        CollectUntil(() => !_reports.IsEmpty);
        Assert.Same(_failure, Assert.Single(_reports).Exception);
    }

    [BusTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_transfer_that_is_configured_anew_has_its_new_memory(bool pinned)
    {
        byte[] array = new byte[LifetimeDevice.PacketLength];
        UsbTransfer transfer = Make();
        Assert.Same(_failure, Record.Exception(() =>
        {
            if (pinned)
                transfer.SetBulkPinned(LifetimeDevice.BulkAddress, array);
            else
                transfer.SetBulk(LifetimeDevice.BulkAddress, array.Length);
        }));
        transfer.Submit();
        Device.WaitForKept(1, Patience);
        Device.CompleteOldest(LifetimeDevice.BulkAddress);
        Finish(transfer);
        Assert.Equal(array.Length, transfer.Data.Length);
        Assert.Equal(-1, transfer.Data.IndexOfAnyExcept((byte)0x5a));
        Assert.Equal(-1, _memory.GetSpan().IndexOfAnyExcept((byte)0)); // the transfer did not write into its former memory
        Assert.Empty(_reports); // the exception was thrown to the caller instead
    }

    [BusFact]
    public async Task An_awaited_call_throws_the_exception_and_loses_no_transfer()
    {
        Context.StartEventThread();
        UsbEndpoint endpoint = Interface.GetEndpoint(LifetimeDevice.BulkAddress);
        Assert.Same(_failure, await Read());
        CountingAllocator.Counts before = CountingAllocator.Read();
        for (int round = 0; round < 10; round++)
            Assert.Same(_failure, await Read());
        Assert.Equal(before.LiveTransfers, CountingAllocator.Read().LiveTransfers);
        Assert.Equal(-1, _memory.GetSpan().IndexOfAnyExcept((byte)0x5a));

        async Task<Exception?> Read()
        {
            Task<int> reading = endpoint.ReadAsync(_memory.Memory).AsTask();
            Device.WaitForKept(1, Patience);
            Device.CompleteOldest(LifetimeDevice.BulkAddress);
            return await Record.ExceptionAsync(() => reading);
        }
    }

    private UsbTransfer Make()
    {
        UsbTransfer transfer = Interface.GetEndpoint(LifetimeDevice.BulkAddress).CreateTransfer();
        transfer.SetBulkPinned(LifetimeDevice.BulkAddress, _memory.Memory);
        return transfer;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Forget() => Make();

    private void AssertReported(UsbTransfer transfer)
    {
        Assert.True(SpinWait.SpinUntil(() => !_reports.IsEmpty, Patience), "The exception was not reported.");
        UsbUnhandledCallbackExceptionEventArgs report = Assert.Single(_reports);
        Assert.Same(_failure, report.Exception);
        Assert.Same(transfer, report.Source);
    }
}
