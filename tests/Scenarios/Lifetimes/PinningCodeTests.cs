#pragma warning disable CA2012 // some calls throw immediately

namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>
/// Tests transfers that use memory of the caller. When the library pins or unpins this memory, the memory's <c>Pin</c> or <c>Unpin</c> method runs code of the
/// test. This code closes the owner of the transfer, and waits until the owner is closed.
/// </summary>
public sealed class PinningCodeTests : ClosingTest
{
    private readonly CountedMemory _memory = new(LifetimeDevice.PacketLength);

    [BusTheory]
    [AllCombinations]
    public void Memory_that_is_pinned_may_dispose_what_pins_it(Closed what, bool onAnotherThread)
    {
        Context.StartEventThread();
        UsbEndpoint endpoint = Interface.GetEndpoint(LifetimeDevice.BulkAddress);
        using UsbTransfer transfer = endpoint.CreateTransfer();
        _memory.Pinning = () => Close(what, onAnotherThread);
        Assert.IsType<ObjectDisposedException>(Run(() => endpoint.ReadAsync(_memory.Memory).AsTask().GetAwaiter().GetResult()));
        Assert.IsType<ObjectDisposedException>(Run(() => transfer.SetBulkPinned(LifetimeDevice.BulkAddress, _memory.Memory)));
        Assert.Equal(0, _memory.Pins);
        AssertFree();
    }

    [BusTheory]
    [AllCombinations]
    public void Memory_that_is_unpinned_after_an_awaited_call_may_dispose_what_unpins_it(Closed what, bool onAnotherThread)
    {
        Context.StartEventThread();
        _memory.Unpinning = () => Close(what, onAnotherThread);
        Task<int> reading = Interface.GetEndpoint(LifetimeDevice.BulkAddress).ReadAsync(_memory.Memory).AsTask();
        Device.WaitForKept(1, Patience);
        Device.CompleteOldest(LifetimeDevice.BulkAddress);
        Assert.Null(Run(() => Assert.Equal(LifetimeDevice.PacketLength, reading.GetAwaiter().GetResult())));
        Assert.Equal(0, _memory.Pins);
        AssertFree();
    }

    [BusTheory]
    [AllCombinations]
    public void Memory_that_a_new_configuration_unpins_may_dispose_what_unpins_it(Closed what, bool onAnotherThread)
    {
        Context.StartEventThread();
        UsbTransfer transfer = Interface.GetEndpoint(LifetimeDevice.BulkAddress).CreateTransfer();
        transfer.SetBulkPinned(LifetimeDevice.BulkAddress, _memory.Memory);
        _memory.Unpinning = () => Close(what, onAnotherThread);
        Assert.Null(Run(() => transfer.SetBulk(LifetimeDevice.BulkAddress, 1)));
        Assert.Equal(0, _memory.Pins);
        Assert.True(transfer.IsDisposed);
        AssertFree();
    }

    [BusFact]
    public void A_refused_configuration_leaves_the_memory_unpinned()
    {
        using UsbTransfer transfer = Handle.CreateTransfer();
        transfer.SetBulk(LifetimeDevice.BulkAddress, 1);
        transfer.Submit();
        Assert.Throws<InvalidOperationException>(() => transfer.SetBulkPinned(LifetimeDevice.BulkAddress, _memory.Memory));
        Assert.Equal(0, _memory.Pins);
    }

    private void Close(Closed what, bool onAnotherThread)
    {
        _memory.Pinning = _memory.Unpinning = null;
        if (!onAnotherThread)
        {
            Close(what);
            return;
        }

        var other = new Thread(() => Close(what));
        other.Start();
        Assert.True(other.Join(Patience), "The closing thread waits for the thread that waits for the closing.");
    }

    /// <summary>Runs an action on a background thread, and fails if the action hangs.</summary>
    private static Exception? Run(Action action)
    {
        Exception? exception = null;
        var thread = new Thread(() => exception = Record.Exception(action)) { IsBackground = true };
        thread.Start();
        Assert.True(thread.Join(2 * Patience), "The action hangs.");
        return exception;
    }
}
