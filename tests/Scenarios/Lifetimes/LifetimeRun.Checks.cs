namespace Native.LibUsb.Tests.Lifetimes;

// This part checks which uses of a transfer are allowed after the act, and which exceptions refuse the other uses.
internal sealed partial class LifetimeRun
{
    private Fate FateOf(TestedTransfer transfer) => _case.Act switch
    {
        Act.DisposeHandle or Act.DisposeContext => Fate.Disposed, // both acts return after the transfer is disposed
        _ when _case.Pump == Pump.Nobody && IsInFlight(transfer) => Fate.InFlight,
        Act.DisposeTransfer => Fate.Disposed,
        Act.CloseTransfer => IsInFlight(transfer) ? Fate.Usable : Fate.Disposed,
        Act.DoomTransfer => MomentOf(transfer) is Moment.Configured or Moment.Completed ? Fate.Doomed : Fate.Disposed,
        Act.Unplug => Fate.Unplugged,
        _ => Fate.Usable,
    };

    private void CheckWhatIsPossibleNow()
    {
        foreach (TestedTransfer transfer in _stage.Transfers)
            Check(transfer, FateOf(transfer));

        if (_case.Act is Act.DisposeHandle or Act.DisposeContext)
        {
            Assert.Throws<ObjectDisposedException>(() => _stage.Handle.CreateTransfer());
            Assert.Throws<ObjectDisposedException>(() => _stage.Handle.AllocateBuffer(1));
            Assert.Throws<ObjectDisposedException>(() => _stage.Handle.ClaimInterface(0));
            _stage.Handle.Dispose();
        }

        if (_case.Act == Act.DisposeContext)
        {
            Assert.Throws<ObjectDisposedException>(() => _stage.Context.GetDevices());
            Assert.Throws<ObjectDisposedException>(() => _stage.Context.HandleEvents(TimeSpan.Zero));
            Assert.Throws<ObjectDisposedException>(() => _stage.Context.StartEventThread());
        }
    }

    private static void Check(TestedTransfer tested, Fate fate)
    {
        UsbTransfer transfer = tested.Transfer;
        Assert.Equal(fate == Fate.Disposed, transfer.IsDisposed);
        Assert.Equal(fate == Fate.InFlight, transfer.IsSubmitted && fate != Fate.Usable);
        switch (fate)
        {
            case Fate.Usable:
                CheckReadable(transfer);
                tested.Submit();
                tested.Expect(UsbTransferStatus.Canceled); // the context cancels the transfer when it is disposed at the end
                break;
            case Fate.InFlight:
                Assert.Throws<InvalidOperationException>(transfer.Submit);
                Assert.Throws<InvalidOperationException>(() => transfer.Status);
                Assert.Throws<InvalidOperationException>(() => transfer.Buffer.Length);
                break;
            case Fate.Doomed:
                CheckReadable(transfer);
                Assert.Throws<UsbTransferDoomedException>(transfer.Submit);
                break;
            case Fate.Unplugged:
                CheckReadable(transfer);
                Assert.Equal(UsbError.NoDevice, tested.TrySubmit());
                break;
            case Fate.Disposed:
                CheckDisposed(transfer);
                break;
        }
    }

    private static void CheckReadable(UsbTransfer transfer)
    {
        Assert.True(Enum.IsDefined(transfer.Status));
        Assert.Equal(LifetimeDevice.PacketLength * Math.Max(1, transfer.IsoPacketCount), transfer.Buffer.Length);
    }

    private static void CheckDisposed(UsbTransfer transfer)
    {
        Assert.False(transfer.IsSubmitted);
        Assert.Throws<ObjectDisposedException>(transfer.Submit);
        Assert.Throws<ObjectDisposedException>(() => transfer.TrySubmit());
        Assert.Throws<ObjectDisposedException>(transfer.Cancel);
        Assert.Throws<ObjectDisposedException>(() => transfer.Status);
        Assert.Throws<ObjectDisposedException>(() => transfer.ActualLength);
        Assert.Throws<ObjectDisposedException>(() => transfer.Buffer.Length);
        Assert.Throws<ObjectDisposedException>(() => transfer.Data.Length);
        Assert.Throws<ObjectDisposedException>(() => transfer.Endpoint);
        Assert.Throws<ObjectDisposedException>(() => transfer.Type);
        Assert.Throws<ObjectDisposedException>(() => transfer.Timeout);
        Assert.Throws<ObjectDisposedException>(() => transfer.Flags);
        Assert.Throws<ObjectDisposedException>(() => transfer.Flags = UsbTransferFlags.None);
        Assert.Throws<ObjectDisposedException>(() => transfer.IsoPacketCount);
        Assert.Throws<ObjectDisposedException>(() => transfer.IterIso().MoveNext());
        Assert.Throws<ObjectDisposedException>(() => transfer.SetBulk(LifetimeDevice.BulkAddress, 1));
        Assert.Throws<ObjectDisposedException>(() => transfer.SetControl(LifetimeDevice.Request, 1));
        Assert.Throws<ObjectDisposedException>(() => transfer.SetBuffer(1));
        Assert.False(transfer.TryCancel());
        transfer.Doom();
        transfer.Close();
        transfer.Dispose();
    }

    /// <summary>
    /// Checks what a callback can do with its transfer after an act has occurred during the callback. After every act, the callback can read the results. After
    /// some acts, it can also submit the transfer again.
    /// </summary>
    private void CheckWhatIsPossibleInCallback(TestedTransfer tested)
    {
        UsbTransfer transfer = tested.Transfer;
        Assert.False(transfer.IsDisposed);
        Assert.Equal(UsbTransferStatus.Completed, transfer.Status);
        CheckReadable(transfer);
        switch (_case.Act)
        {
            case Act.StopEventThread:
                tested.Submit();
                tested.Expect(UsbTransferStatus.Completed); // Settle completes the transfer with the others
                break;
            case Act.DoomTransfer:
                Assert.Throws<UsbTransferDoomedException>(transfer.Submit);
                break;
            case Act.Unplug:
                if (tested.TrySubmit() == UsbError.Success) // libusb has not yet noticed the unplugging
                    tested.Expect(UsbTransferStatus.NoDevice);
                break;
            default:
                transfer.Submit(); // a closing owner does not throw in a callback, because the callback cannot know that its owner closes
                Assert.False(transfer.IsSubmitted);
                Assert.Equal(UsbError.Closed, transfer.TrySubmit());
                break;
        }
    }

    /// <summary>Determines whether an act that waits for this callback has begun.</summary>
    private bool IsUnderWay() => _case.Act switch
    {
        Act.DisposeHandle or Act.DisposeContext => HasClosingBegun(),
        Act.StopEventThread => !_stage.Events!.IsRunning,
        _ => false,
    };

    private unsafe bool HasClosingBegun()
    {
        if (Record.Exception(() => { _ = _stage.Handle.DangerousGetHandle(); }) is not ObjectDisposedException)
            return false;
        _stage.Handle.Dispose(); // in a callback, this call returns after the other thread has stopped every transfer; before that, a transfer may still be submitted
        return true;
    }

    private bool IsUnplugNoticed()
    {
        try
        {
            _stage.Handle.At(LifetimeDevice.ErrandAddress).ClearHalt();
            return false;
        }
        catch (UsbException exception)
        {
            return exception.Error == UsbError.NoDevice;
        }
    }
}
