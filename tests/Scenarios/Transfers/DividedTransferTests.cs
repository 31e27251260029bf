using Native.LibUsb.Streaming;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Transfers;

/// <summary>
/// Tests reads and writes on a controller without scatter-gather. On such a controller, libusb divides a transfer into pieces of 16 KiB. If one piece of a read
/// overflows, libusb completes the transfer and frees its URBs while other pieces are in flight. The library therefore submits no read that libusb would
/// divide.
/// </summary>
[PreloadOnly(KernelLimits.Capabilities)]
public sealed class DividedTransferTests : BusTest
{
    private const int Piece = 16_384;

    private readonly BulkLoopback _loopback = new();
    private readonly UsbDeviceHandle _handle;

    public DividedTransferTests()
        : base(new VirtualBusOptions { Capabilities = UsbfsCapabilities.WithoutScatterGather }) => _handle = Open(_loopback);

    private VirtualEndpoint Input => _loopback.Endpoint(BulkLoopback.InAddress);

    private VirtualEndpoint Output => _loopback.Endpoint(BulkLoopback.OutAddress);

    [BusFact]
    public void A_transfer_with_which_libusb_would_read_in_pieces_is_refused_and_changes_nothing()
    {
        using UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.InAddress, Piece);
        Action[] configurations =
        [
            () => transfer.SetBulk(BulkLoopback.InAddress, Piece + 512),
            () => transfer.SetInterrupt(BulkLoopback.InAddress, Piece + 512),
            () => transfer.SetBulkPinned(BulkLoopback.InAddress, new byte[Piece + 512]),
            () => transfer.SetBuffer(Piece + 512),
            () => transfer.SetBufferPinned(new byte[Piece + 512]),
        ];
        Assert.All(configurations, configure =>
        {
            var refused = Assert.Throws<UsbException>(configure);
            Assert.Equal(UsbError.NotSupported, refused.Error);
            Assert.Contains("at most 16,384 bytes", refused.Hint, StringComparison.Ordinal);
            Assert.Equal(Piece, transfer.Buffer.Length);
        });
        transfer.SetBulk(BulkLoopback.OutAddress, 4 * Piece);
    }

    [BusTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_long_read_survives_an_overflow_in_its_middle(bool awaited)
    {
        byte[] buffer = new byte[4 * Piece];
        Input.Hold();
        UsbEndpoint endpoint = _handle.At(BulkLoopback.InAddress);
        Task<int> reading = awaited ? endpoint.ReadAsync(buffer).AsTask() : Task.Run(() => endpoint.Read(buffer, Patience));
        Assert.True(Input.WaitForSubmitted(1, Patience));
        Answer(1, Piece, UrbStatus.Success);
        Assert.True(Input.WaitForSubmitted(2, Patience));
        Answer(2, 512, UrbStatus.Overflow);
        var failure = await Assert.ThrowsAsync<UsbException>(() => reading.WaitAsync(Patience));
        Assert.Equal(UsbError.Overflow, failure.Error);
        Assert.Equal(Piece + 512, failure.BytesTransferred);
        Assert.Equal(-1, buffer.AsSpan(0, Piece).IndexOfAnyExcept((byte)1));
        Assert.Equal(-1, buffer.AsSpan(Piece, 512).IndexOfAnyExcept((byte)2));

        Input.Resume();
        byte[] sent = new byte[(2 * Piece) + 100];
        new Random(1).NextBytes(sent);
        Assert.Equal(sent.Length, _handle.At(BulkLoopback.OutAddress).Write(sent, Patience));
        Assert.Equal(sent.Length, awaited ? await endpoint.ReadAsync(buffer).AsTask().WaitAsync(Patience) : endpoint.Read(buffer, Patience));
        Assert.True(buffer.AsSpan(0, sent.Length).SequenceEqual(sent));
        await Context.DisposeAsync();
    }

    [BusFact]
    public async Task A_long_read_that_is_cancelled_counts_the_pieces_before()
    {
        byte[] buffer = new byte[4 * Piece];
        Input.Hold();
        using var stop = new CancellationTokenSource();
        Task<int> reading = _handle.At(BulkLoopback.InAddress).ReadAsync(buffer, stop.Token).AsTask();
        Assert.True(Input.WaitForSubmitted(1, Patience));
        Answer(1, Piece, UrbStatus.Success);
        Assert.True(Input.WaitForSubmitted(2, Patience));
        await stop.CancelAsync();
        var canceled = await Assert.ThrowsAsync<UsbTransferCanceledException>(() => reading.WaitAsync(Patience));
        Assert.Equal(Piece, canceled.BytesTransferred);
        await Context.DisposeAsync();
    }

    [BusFact]
    public async Task A_long_read_has_one_limit_for_all_pieces()
    {
        const int pieces = 64;
        TimeSpan limit = TimeSpan.FromMilliseconds(200), answerTime = TimeSpan.FromMilliseconds(10); // all answers take longer than the limit, and each is quick
        Input.Hold();
        Task<int> reading = _handle.At(BulkLoopback.InAddress).ReadAsync(new byte[pieces * Piece], limit).AsTask();
        int answered = 0;
        while (!reading.IsCompleted)
        {
            await Task.Delay(answerTime); // the device needs this time for each answer
            lock (_loopback.SyncRoot)
            {
                if (Input.Pending.Count > 0)
                {
                    VirtualUrb urb = Input.Pending[0];
                    urb.Buffer.Clear(); // the bus sends the buffer to the host, and valgrind reports bytes that were never written
                    urb.Complete(Piece, UrbStatus.Success);
                    answered++;
                }
            }
        }

        UsbException failure = await Assert.ThrowsAsync<UsbException>(() => reading);
        Assert.Equal((UsbError.Timeout, answered * Piece), (failure.Error, failure.BytesTransferred));
    }

    [BusFact]
    public async Task A_ring_divides_its_transfers_itself()
    {
        var options = new UsbRingOptions { TransferSize = 3 * Piece, Transfers = 2, Spares = 1 };
        await using UsbInputRing input = _handle.At(BulkLoopback.InAddress).CreateInputRing(options);
        await using UsbOutputRing output = _handle.At(BulkLoopback.OutAddress).CreateOutputRing(options);
        Assert.Equal((Piece, 6), (input.TransferSize, input.Transfers));
        Assert.Equal((Piece, 6), (output.TransferSize, output.Transfers));
        input.Start();
        output.Start();
        byte[] sent = new byte[20 * Piece];
        new Random(2).NextBytes(sent);
        Task writing = Task.Run(async () =>
        {
            await using Stream stream = output.AsStream(UsbWriteBoundary.None);
            await stream.WriteAsync(sent);
            await stream.FlushAsync();
        });
        byte[] received = new byte[sent.Length];
        await using (Stream stream = input.AsStream(UsbReadBoundary.None))
            await stream.ReadExactlyAsync(received).AsTask().WaitAsync(Patience);
        await writing.WaitAsync(Patience);
        Assert.True(received.AsSpan().SequenceEqual(sent));
        await Context.DisposeAsync();
    }

    [BusFact]
    public void A_write_that_fails_while_libusb_submits_its_pieces_is_not_complete()
    {
        using UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.OutAddress, 60 * Piece);
        for (int round = 0; round < 20; round++)
        {
            Output.FailNext(UrbStatus.Protocol);
            transfer.Submit();
            Finish(transfer);
            Assert.Equal(UsbTransferStatus.Error, transfer.Status);
        }
    }

    [BusFact]
    public void Pieces_after_a_failed_piece_are_not_sent()
    {
        using UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.OutAddress, 60 * Piece);
        for (int round = 0; round < 20; round++)
        {
            Output.FailNext(UrbStatus.Protocol);
            transfer.Submit();
            Finish(transfer);
            Assert.Equal((0, 0), (transfer.ActualLength, _loopback.Waiting));
        }
    }

    private void Answer(long submitted, int length, UrbStatus status)
    {
        lock (_loopback.SyncRoot)
        {
            Assert.Equal(submitted, Input.Submitted); // one piece is in flight at a time
            VirtualUrb urb = Input.Pending[0];
            urb.Buffer.Fill((byte)submitted);
            urb.Complete(length, status);
        }
    }
}
