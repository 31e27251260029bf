using System.Runtime.CompilerServices;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Transfers;

/// <summary>
/// Tests submissions that libusb refuses. A refused submission runs no callback and leaks no memory. The program can submit the transfer again.
/// </summary>
public sealed class RefusedSubmissionTests : BusTest
{
    private const int Times = 1000;
    private const int TooMuch = 600 << 10; // two such transfers exceed the limit of 1 MiB

    private readonly UsbDeviceHandle _handle;
    private readonly UsbTransfer _blocker;
    private readonly byte[] _buffer = new byte[TooMuch];
    private int _callbacks;

    public RefusedSubmissionTests()
        : base(new VirtualBusOptions { UsbfsMemoryMegabytes = 1 })
    {
        _handle = Open(new BulkLoopback());
        _blocker = Open(new BulkLoopback(new BulkLoopbackOptions { ProductId = 0x0012 })).CreateTransfer();
        _blocker.SetBulk(BulkLoopback.InAddress, TooMuch);
        _blocker.Submit();
    }

    [BusFact]
    public void The_same_transfer_can_be_submitted_when_there_is_room_again()
    {
        using UsbTransfer transfer = Make();
        for (int i = 0; i < Times; i++)
            Refuse(transfer);
        MakeRoom();
        transfer.Submit();
        Finish(transfer);
        Assert.Equal(UsbTransferStatus.Completed, transfer.Status);
        Assert.Equal(TooMuch, transfer.ActualLength);
        Assert.Equal(1, _callbacks);
    }

    [BusFact]
    public void A_transfer_refused_in_its_own_callback_comes_to_rest()
    {
        // The first submission has a length that the system accepts. The transfer's callback then sets a length that exceeds the limit, and submits the
        // transfer again.
        var errors = new List<UsbError>();
        using UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.OutAddress, 1, t =>
        {
            t.SetBuffer(TooMuch);
            errors.Add(t.TrySubmit());
            Assert.False(t.IsSubmitted);
        });
        transfer.Submit();
        Finish(transfer);
        Assert.Equal([UsbError.NoMemory], errors);
        MakeRoom();
        transfer.Callback = null;
        transfer.Submit();
        Finish(transfer);
        Assert.Equal(TooMuch, transfer.ActualLength);
    }

    [BusTheory]
    [InlineData("one transfer")]
    [InlineData("disposed")]
    [InlineData("forgotten")]
    public void A_thousand_refusals_leave_no_memory_behind(string how)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers(); // frees the objects that earlier tests have forgotten
        CountingAllocator.Counts before = CountingAllocator.Read();
        var forgotten = new List<WeakReference>();
        using (UsbTransfer same = Make())
        {
            for (int i = 0; i < Times; i++)
            {
                if (how == "one transfer")
                    Refuse(same);
                else if (how == "disposed")
                    RefuseAndDispose();
                else
                    forgotten.Add(RefuseAndForget());
            }
        }

        CollectUntil(() => !forgotten.Exists(one => one.IsAlive)); // the library does not keep a refused transfer alive
        CountingAllocator.CheckNothingIsLeft(before);
        Assert.Equal(0, _callbacks);
    }

    private UsbTransfer Make()
    {
        UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulkPinned(BulkLoopback.OutAddress, _buffer, _ => _callbacks++);
        return transfer;
    }

    private static void Refuse(UsbTransfer transfer)
    {
        Assert.Equal(UsbError.NoMemory, transfer.TrySubmit());
        Assert.False(transfer.IsSubmitted);
    }

    private void RefuseAndDispose()
    {
        using UsbTransfer transfer = Make();
        Refuse(transfer);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private WeakReference RefuseAndForget()
    {
        UsbTransfer transfer = Make();
        Refuse(transfer);
        return new WeakReference(transfer);
    }

    private void MakeRoom()
    {
        _blocker.Cancel();
        Finish(_blocker);
    }
}
