using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>
/// Tests actions that the program performs while a transfer is being released or configured. <see cref="LifetimeMatrixTests"/> does not cover these two
/// moments. During a release, a test acts while the library unpins the caller's memory. During a configuration, a test acts while a
/// <see cref="HeldConfiguration"/> exists.
/// </summary>
public sealed class ReleaseInProgressTests : IDisposable
{
    private readonly Watchdog _watchdog = new(test: nameof(ReleaseInProgressTests));
    private readonly VirtualBus _bus = TestBus.Create();
    private readonly Stage _stage;
    private readonly CountedMemory _memory = new(LifetimeDevice.PacketLength);
    private readonly UsbTransfer _transfer;
    private Thread? _other;

    public ReleaseInProgressTests()
    {
        _stage = new Stage(_bus, new LifetimeDevice(), Load.Nothing, withEventThread: false);
        _transfer = _stage.Handle.CreateTransfer();
    }

    public void Dispose()
    {
        _stage.Dispose();
        ((IDisposable)_memory).Dispose();
        _bus.Dispose();
        _watchdog.Dispose();
    }

    [BusFact]
    public void A_handle_closes_after_a_release_that_another_thread_has_begun()
    {
        int pinsWhenClosed = -1;
        _transfer.SetBulkPinned(LifetimeDevice.BulkAddress, _memory.Memory);
        _memory.Unpinning = () => OnAnotherThread(() =>
        {
            _stage.Handle.Dispose();
            pinsWhenClosed = _memory.Pins;
        });
        _transfer.Dispose();
        _other!.Join();
        Assert.Equal(0, pinsWhenClosed);
        CheckEnd();
    }

    [BusFact]
    public void A_transfer_that_is_being_released_is_neither_configured_nor_submitted()
    {
        Exception? configuration = null, submission = null;
        _transfer.SetBulkPinned(LifetimeDevice.BulkAddress, _memory.Memory);
        _memory.Unpinning = () => OnAnotherThread(() =>
        {
            submission = Record.Exception(_transfer.Submit);
            configuration = Record.Exception(() => _transfer.SetBulk(LifetimeDevice.BulkAddress, 1));
        });
        _transfer.Dispose();
        _other!.Join();
        Assert.IsType<ObjectDisposedException>(configuration);
        Assert.IsType<ObjectDisposedException>(submission);
        CheckEnd();
    }

    [BusFact]
    public void A_transfer_that_is_disposed_while_it_is_configured_is_freed_after_that()
    {
        _transfer.SetBulkPinned(LifetimeDevice.BulkAddress, _memory.Memory);
        using (new HeldConfiguration(_transfer))
        {
            OnAnotherThread(_transfer.Dispose);
            Assert.False(_transfer.IsDisposed); // the configuring thread may still write to the native transfer
        }

        Assert.True(_transfer.IsDisposed);
        _other!.Join();
        CheckEnd();
    }

    [BusFact]
    public void A_handle_that_is_disposed_while_a_transfer_is_configured_closes_after_that()
    {
        _stage.Context.StartEventThread(); // so that the closing thread waits and handles no events
        int pinsWhenClosed = -1;
        _transfer.SetBulkPinned(LifetimeDevice.BulkAddress, _memory.Memory);
        using (new HeldConfiguration(_transfer))
        {
            OnAnotherThread(() =>
            {
                _stage.Handle.Dispose();
                pinsWhenClosed = _memory.Pins;
            });
            Assert.True(_other!.IsAlive);
            Assert.False(_transfer.IsDisposed);
        }

        _other!.Join();
        Assert.Equal(0, pinsWhenClosed);
        Assert.True(_transfer.IsDisposed);
        CheckEnd();
    }

    [BusFact]
    public void A_transfer_is_not_submitted_while_another_thread_configures_it()
    {
        Exception? refusal = null;
        _transfer.SetBulk(LifetimeDevice.BulkAddress, LifetimeDevice.PacketLength);
        using (new HeldConfiguration(_transfer))
        {
            OnAnotherThread(() => refusal = Record.Exception(_transfer.Submit));
            _other!.Join();
        }

        Assert.IsType<InvalidOperationException>(refusal);
        Assert.Equal(0, _stage.Device.Kept);
        _transfer.Submit();
        CheckEnd();
    }

    [BusTheory]
    [InlineData(false)]
    [InlineData(true)] // the transfer is disposed after the callback, although another thread configures it
    public void A_callback_may_return_while_another_thread_configures_its_transfer(bool doom)
    {
        using var inCallback = new ManualResetEventSlim();
        using var configuring = new ManualResetEventSlim();
        using var returned = new ManualResetEventSlim();
        _transfer.SetBulk(LifetimeDevice.ErrandAddress, 0, transfer =>
        {
            inCallback.Set();
            Assert.True(configuring.Wait(Stage.Patience));
            if (doom)
                transfer.Doom();
        });
        _transfer.Submit();
        var configurer = new Thread(() =>
        {
            inCallback.Wait();
            using var configuration = new HeldConfiguration(_transfer);
            configuring.Set();
            returned.Wait();
        });
        configurer.Start();
        _stage.WaitUntil(() => configuring.IsSet);
        returned.Set(); // the callback has returned, because WaitUntil handled the event on this thread
        configurer.Join();
        Assert.Equal(doom, _transfer.IsDisposed);
        if (!doom)
        {
            _transfer.SetBulk(LifetimeDevice.BulkAddress, LifetimeDevice.PacketLength, _ => { });
            _transfer.Submit();
        }

        CheckEnd();
    }

    /// <summary>Starts an action on another thread. Returns when the action has ended, or when the action waits for the calling thread.</summary>
    private void OnAnotherThread(Action action)
    {
        _memory.Unpinning = null;
        _other = new Thread(() =>
        {
            try
            {
                action();
            }
            catch (Exception exception)
            {
                _stage.Fail(exception);
            }
        });
        _other.Start();
        _stage.Until(() => !_other.IsAlive || _other.ThreadState.HasFlag(ThreadState.WaitSleepJoin));
    }

    private void CheckEnd()
    {
        _stage.Close();
        Assert.Equal(0, _memory.Pins);
        _stage.CheckEnd();
    }
}
