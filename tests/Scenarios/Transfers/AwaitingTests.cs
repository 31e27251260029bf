using Native.LibUsb.Testing;

#pragma warning disable CA2012 // some transfers are not awaited on purpose

namespace Native.LibUsb.Tests.Transfers;

/// <summary>Tests awaited transfers: their results, their cancellation, and the thread on which the code continues after the await.</summary>
public sealed class AwaitingTests : BusTest
{
    private readonly BulkLoopback _loopback = new();
    private readonly UsbDeviceHandle _handle;
    private readonly UsbEventThread _events;

    public AwaitingTests()
    {
        _handle = Open(_loopback);
        _events = Context.StartEventThread();
    }

    private VirtualEndpoint Input => _loopback.Endpoint(BulkLoopback.InAddress);

    [BusFact]
    public async Task Written_bytes_come_back()
    {
        using UsbTransfer output = _handle.CreateTransfer(), input = _handle.CreateTransfer();
        input.SetBulk(BulkLoopback.InAddress, 512);
        for (int round = 1; round <= 50; round++)
        {
            output.SetBulkPinned(BulkLoopback.OutAddress, Enumerable.Repeat((byte)round, round).ToArray());
            ValueTask<int> reading = input.SubmitAsync();
            Assert.True(input.IsSubmitted);
            Assert.Equal(round, await output.SubmitAsync());
            Assert.Equal(round, await reading);
            Assert.True(input.Data.IndexOfAnyExcept((byte)round) < 0);
        }
    }

    [BusFact]
    public async Task Several_transfers_are_awaited_together()
    {
        UsbTransfer[] transfers = [.. Enumerable.Range(0, 8).Select(_ => _handle.CreateTransfer())];
        Task<int>[] tasks = [.. transfers.Select(transfer =>
        {
            transfer.SetBulk(BulkLoopback.InAddress, 512);
            return transfer.SubmitAsync().AsTask();
        })];
        for (int i = 0; i < transfers.Length; i++)
            _handle.At(BulkLoopback.OutAddress).Write(new byte[i + 1], Patience);
        int[] counts = await Task.WhenAll(tasks);
        Assert.Equal(Enumerable.Range(1, 8), counts);
    }

    [BusFact]
    public async Task An_isochronous_transfer_returns_the_total_length_of_its_packets()
    {
        var source = new IsoSource(new IsoSourceOptions { Paced = false });
        UsbDeviceHandle handle = Open(source);
        handle.ClaimInterface(0).SetAlternateSetting(4);
        using UsbTransfer transfer = handle.CreateTransfer(isoPackets: 16);
        transfer.SetIsochronous(IsoSource.EndpointAddress, 3072);
        Assert.Equal(16 * 3072, await transfer.SubmitAsync());
    }

    [BusFact]
    public async Task Only_submissions_that_are_not_awaited_call_the_callback()
    {
        using var called = new SemaphoreSlim(0);
        using UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.OutAddress, 1, _ => called.Release());
        Assert.Equal(1, await transfer.SubmitAsync());
        Assert.Equal(0, called.CurrentCount);
        transfer.Submit();
        Assert.True(await called.WaitAsync(Patience));
        while (transfer.IsSubmitted)
            await Task.Yield();
        Assert.Equal(1, await transfer.SubmitAsync());
        Assert.Equal(0, called.CurrentCount);
    }

    [BusFact]
    public async Task A_failure_is_thrown_with_the_number_of_transferred_bytes()
    {
        using UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.InAddress, 1024);
        Input.FailNext(UrbStatus.Protocol, actualLength: 512);
        _handle.At(BulkLoopback.OutAddress).Write(new byte[600], Patience);
        UsbException failure = await Assert.ThrowsAsync<UsbException>(async () => await transfer.SubmitAsync());
        Assert.Equal(UsbError.IO, failure.Error);
        Assert.Equal(512, failure.BytesTransferred);
        Assert.Contains("0x82", failure.Message, StringComparison.Ordinal);

        Input.Halt();
        Assert.Equal(UsbError.Pipe, (await Assert.ThrowsAsync<UsbException>(async () => await transfer.SubmitAsync())).Error);
        Assert.Equal(new UsbTransferOutcome(UsbError.Pipe, 0), await transfer.TrySubmitAsync());
        _handle.At(BulkLoopback.InAddress).ClearHalt();

        transfer.SetBulk(BulkLoopback.InAddress, 512, timeout: TimeSpan.FromMilliseconds(10));
        Assert.Equal(new UsbTransferOutcome(UsbError.Timeout, 0), await transfer.TrySubmitAsync());
        Task<int> task = transfer.SubmitAsync().AsTask();
        Assert.Equal(UsbError.Timeout, (await Assert.ThrowsAsync<UsbException>(() => task)).Error);
        Assert.True(task.IsFaulted);
    }

    [BusFact]
    public async Task A_transfer_that_cannot_be_submitted_throws_at_once()
    {
        using UsbTransfer transfer = _handle.CreateTransfer();
        Assert.Throws<InvalidOperationException>(() => { _ = transfer.SubmitAsync(); });
        transfer.SetBulk(BulkLoopback.InAddress, 512);
        ValueTask<int> first = transfer.SubmitAsync();
        Assert.Throws<InvalidOperationException>(() => { _ = transfer.SubmitAsync(); });
        Assert.Throws<InvalidOperationException>(() => { _ = transfer.TrySubmitAsync(); });
        _handle.At(BulkLoopback.OutAddress).Write([1], Patience);
        Assert.Equal(1, await first);
        transfer.Doom();
        Assert.Throws<UsbTransferDoomedException>(() => { _ = transfer.SubmitAsync(); });
        transfer.Dispose();
        Assert.Throws<ObjectDisposedException>(() => { _ = transfer.SubmitAsync(); });
    }

    [BusFact]
    public async Task A_refused_submission_can_be_made_again()
    {
        using UsbTransfer transfer = _handle.CreateTransfer();
        using var cancellation = new CancellationTokenSource();
        transfer.SetBulk(BulkLoopback.InAddress, 512);
        Bus.Detach(_loopback);
        Assert.Equal(new UsbTransferOutcome(UsbError.NoDevice, 0), await transfer.TrySubmitAsync(cancellation.Token));
        ValueTask<int> refused = transfer.SubmitAsync(cancellation.Token);
        Assert.True(refused.IsFaulted);
        Assert.Equal(UsbError.NoDevice, (await Assert.ThrowsAsync<UsbException>(async () => await refused)).Error);
        await cancellation.CancelAsync();
        Assert.False(transfer.IsSubmitted);
    }

    [BusFact]
    public async Task A_token_cancels_natively_and_the_received_bytes_are_kept()
    {
        _handle.At(BulkLoopback.OutAddress).Write(Enumerable.Repeat((byte)7, 512).ToArray(), Patience);
        using var cancellation = new CancellationTokenSource();
        using UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.InAddress, 1024); // a full packet does not end the transfer
        Task<int> task = transfer.SubmitAsync(cancellation.Token).AsTask();
        Assert.True(Input.WaitForSubmitted(1, Patience));
        await cancellation.CancelAsync();
        UsbTransferCanceledException cancelled = await Assert.ThrowsAsync<UsbTransferCanceledException>(() => task);
        Assert.True(task.IsCanceled);
        Assert.Equal(cancellation.Token, cancelled.CancellationToken);
        Assert.Equal(512, cancelled.BytesTransferred);
        Assert.Equal(UsbTransferStatus.Canceled, transfer.Status);
        Assert.Equal(512, transfer.Data.Length);
        Assert.True(transfer.Data.IndexOfAnyExcept((byte)7) < 0);
        Assert.Equal(1, Input.Unlinked);
    }

    [BusFact]
    public async Task A_token_that_is_cancelled_already_submits_nothing()
    {
        using UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.OutAddress, 1);
        Task<int> task = transfer.SubmitAsync(new CancellationToken(true)).AsTask();
        Assert.True(task.IsCanceled);
        await Assert.ThrowsAsync<UsbTransferCanceledException>(() => task);
        Assert.Equal(new UsbTransferOutcome(UsbError.Canceled, 0), await transfer.TrySubmitAsync(new CancellationToken(true)));
        Assert.Equal(0, _loopback.Endpoint(BulkLoopback.OutAddress).Submitted);
    }

    [BusFact]
    public async Task A_token_does_not_cancel_the_next_submission()
    {
        using var former = new CancellationTokenSource();
        using UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.InAddress, 512);
        ValueTask<int> first = transfer.SubmitAsync(former.Token);
        _handle.At(BulkLoopback.OutAddress).Write([1], Patience);
        Assert.Equal(1, await first);
        ValueTask<int> second = transfer.SubmitAsync();
        await former.CancelAsync();
        _handle.At(BulkLoopback.OutAddress).Write([1, 2], Patience);
        Assert.Equal(2, await second);
        Assert.Equal(0, Input.Unlinked);
    }

    [BusFact]
    public async Task A_cancellation_races_with_submission_and_completion()
    {
        using UsbTransfer transfer = _handle.CreateTransfer();
        using var start = new Barrier(2);
        CancellationTokenSource cancellation = new();
        int rounds = Rounds.Of(2_000);
        var canceller = new Thread(() =>
        {
            for (int round = 0; round < rounds; round++)
            {
                start.SignalAndWait();
                cancellation.Cancel();
                start.SignalAndWait();
            }
        });
        canceller.Start();
        int cancelled = 0, completed = 0;
        for (int round = 0; round < rounds; round++)
        {
            // In even rounds, only the cancellation ends the transfer, so the test hangs if the cancellation is lost. In odd rounds, the cancellation competes
            // with the completion.
            transfer.SetBulk(round % 2 == 0 ? BulkLoopback.InAddress : BulkLoopback.OutAddress, 0);
            cancellation = new CancellationTokenSource();
            start.SignalAndWait();
            UsbTransferOutcome outcome = await transfer.TrySubmitAsync(cancellation.Token).AsTask().WaitAsync(Patience);
            Assert.False(transfer.IsSubmitted);
            if (outcome.Error == UsbError.Success)
                completed++;
            else if (outcome.Error == UsbError.Canceled)
                cancelled++;
            start.SignalAndWait();
            cancellation.Dispose();
        }

        canceller.Join();
        Assert.Equal(rounds, completed + cancelled);
        Assert.True(cancelled >= rounds / 2);
    }

    [BusTheory]
    [InlineData("transfer")]
    [InlineData("handle")]
    [InlineData("context")]
    public async Task Disposing_ends_the_wait(string what)
    {
        UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.InAddress, 512);
        Task<int> task = transfer.SubmitAsync().AsTask();
        await (what switch { "transfer" => transfer.DisposeAsync(), "handle" => _handle.DisposeAsync(), _ => Context.DisposeAsync() });
        Assert.True(transfer.IsDisposed);
        UsbTransferCanceledException cancelled = await Assert.ThrowsAsync<UsbTransferCanceledException>(() => task);
        Assert.Equal(CancellationToken.None, cancelled.CancellationToken);
        await transfer.DisposeAsync();
        await _handle.DisposeAsync();
        Assert.Throws<ObjectDisposedException>(() => { _ = transfer.SubmitAsync(); });
    }

    [BusFact]
    public async Task Unplugging_ends_the_wait()
    {
        using UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.InAddress, 512);
        ValueTask<int> task = transfer.SubmitAsync();
        Bus.Detach(_loopback);
        Assert.Equal(UsbError.NoDevice, (await Assert.ThrowsAsync<UsbException>(async () => await task)).Error);
    }

    [BusFact]
    public async Task Code_continues_on_the_event_thread_only_with_ContinueOnEventThread()
    {
        using UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.InAddress, 512);
        Assert.False(await Read());
        transfer.ContinueOnEventThread = true;
        Assert.True(await Read());

        async Task<bool> Read()
        {
            Input.Hold(); // the transfer must complete after the await has begun, so that there is a continuation
            ValueTask<int> reading = transfer.SubmitAsync();
            Task<bool> isOnEventThread = GoOn(reading);
            _handle.At(BulkLoopback.OutAddress).Write([1], Patience);
            Input.Resume();
            return await isOnEventThread.ConfigureAwait(false);
        }

        static async Task<bool> GoOn(ValueTask<int> reading)
        {
            await reading.ConfigureAwait(false);
            return Thread.CurrentThread.Name == "libusb events";
        }
    }

    [BusFact]
    public async Task On_the_event_thread_the_rules_of_callbacks_hold()
    {
        using UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.InAddress, 512);
        transfer.ContinueOnEventThread = true;
        Input.Hold();
        Task task = GoOn(transfer.SubmitAsync());
        _handle.At(BulkLoopback.OutAddress).Write([1], Patience);
        Input.Resume();
        await task;

        async Task GoOn(ValueTask<int> reading)
        {
            await reading.ConfigureAwait(false);
            Assert.Throws<InvalidOperationException>(() => _handle.At(BulkLoopback.InAddress).Read(new byte[1]));
            await _handle.DisposeAsync(); // the event thread handles events until the handle is closed
            Assert.True(transfer.IsDisposed);
            await Context.DisposeAsync();
        }
    }

    // The continuation runs while the library handles the completion. Another thread must be able to submit the transfer again during that time.
    [BusFact]
    public async Task Code_that_continues_on_the_event_thread_may_wait_for_a_submission_by_another_thread()
    {
        using UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.InAddress, 512);
        transfer.ContinueOnEventThread = true;
        Task<int>? second = null;
        Input.Hold();
        Task<bool> task = GoOn(transfer.SubmitAsync());
        _handle.At(BulkLoopback.OutAddress).Write([1], Patience);
        Input.Resume();
        Assert.True(await task.WaitAsync(2 * Patience));
        await Task.Run(() => _handle.At(BulkLoopback.OutAddress).Write([1, 2], Patience)); // this code may still be on the event thread
        Assert.Equal(2, await second!.WaitAsync(Patience));

        async Task<bool> GoOn(ValueTask<int> reading)
        {
            await reading.ConfigureAwait(false);
            Assert.Equal("libusb events", Thread.CurrentThread.Name);
            var other = new Thread(() => second = transfer.SubmitAsync().AsTask()) { IsBackground = true };
            other.Start();
            return other.Join(Patience);
        }
    }

    [BusFact]
    public async Task Waiting_on_the_event_thread_allocates_nothing()
    {
        using UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.OutAddress, 0);
        transfer.ContinueOnEventThread = true;
        using var cancellation = new CancellationTokenSource();
        var resumer = new Resumer(_loopback.Endpoint(BulkLoopback.OutAddress));
        var meter = new AllocationMeter();
        while (meter.Ended < AllocationMeter.Stretches)
        {
            for (int round = 0; round < Rounds.Of(1_000); round++)
            {
                resumer.Endpoint.Hold(); // the transfer completes after the await has begun, so that this loop runs on the event thread after the first round
                ThreadPool.UnsafeQueueUserWorkItem(resumer, preferLocal: false);
                meter.Resume();
                await transfer.SubmitAsync(cancellation.Token).ConfigureAwait(false);
                meter.Pause();
            }

            meter.EndStretch();
        }

        Assert.Equal(0, meter.Least);
    }

    [BusFact]
    public async Task A_submission_that_is_not_awaited_does_not_disturb_the_next_one()
    {
        using UsbTransfer transfer = _handle.CreateTransfer();
        for (int round = 0; round < Rounds.Of(500); round++)
        {
            transfer.SetBulk(BulkLoopback.OutAddress, 1);
            _ = transfer.SubmitAsync();
            while (transfer.IsSubmitted)
                await Task.Yield();
            transfer.SetBulk(BulkLoopback.InAddress, 512);
            Assert.Equal(1, await transfer.SubmitAsync());
        }
    }

    [BusFact]
    public async Task Disposing_an_event_thread_waits_for_its_last_callback()
    {
        using var inCallback = new SemaphoreSlim(0);
        using var goOn = new ManualResetEventSlim();
        bool returned = false;
        using UsbTransfer transfer = _handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.OutAddress, 1, _ =>
        {
            inCallback.Release();
            goOn.Wait();
            Volatile.Write(ref returned, true);
        });
        transfer.Submit();
        Assert.True(await inCallback.WaitAsync(Patience));
        Task disposing = _events.DisposeAsync().AsTask();
        Assert.False(disposing.IsCompleted);
        goOn.Set();
        await disposing;
        Assert.True(Volatile.Read(ref returned));
        Assert.False(_events.IsRunning);
        await _events.DisposeAsync();
    }

    [BusFact]
    public async Task Disposing_a_subscription_waits_for_its_callback()
    {
        using var inCallback = new SemaphoreSlim(0);
        using var goOn = new ManualResetEventSlim();
        bool returned = false;
        UsbHotplugRegistration registration = Context.RegisterHotplug(_ =>
        {
            inCallback.Release();
            goOn.Wait();
            Volatile.Write(ref returned, true);
        });
        Assert.True(await inCallback.WaitAsync(Patience));
        Task disposing = registration.DisposeAsync().AsTask();
        Assert.False(disposing.IsCompleted);
        goOn.Set();
        await disposing;
        Assert.True(Volatile.Read(ref returned));
    }

    /// <summary>
    /// Represents a work item that waits until a transfer is pending on an endpoint, and then resumes the endpoint. Queuing the item allocates no memory.
    /// </summary>
    private sealed class Resumer(VirtualEndpoint endpoint) : IThreadPoolWorkItem
    {
        public VirtualEndpoint Endpoint => endpoint;

        public void Execute()
        {
            endpoint.WaitForPending(1, Patience);
            endpoint.Resume();
        }
    }
}
