using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Runs one case with one load, from opening the context to closing it. Checks every step and the resources that remain.</summary>
internal sealed partial class LifetimeRun
{
    private readonly LifetimeCase _case;
    private readonly Stage _stage;
    private readonly Errand _errand;
    private Thread? _anotherThread;
    private volatile bool _acted;
    private volatile bool _callbackOver = true; // false while the callback in which the act occurs has not ended

    private LifetimeRun(LifetimeCase lifetimeCase, Stage stage)
    {
        _case = lifetimeCase;
        _stage = stage;
        _errand = new Errand(stage.Handle);
    }

    public static void Play(VirtualBus bus, LifetimeDevice device, LifetimeCase lifetimeCase, Load load)
    {
        using var watchdog = new Watchdog(test: $"{lifetimeCase} with {load}");
        using var stage = new Stage(bus, device, load, withEventThread: lifetimeCase.Pump == Pump.EventThread);
        var run = new LifetimeRun(lifetimeCase, stage);
        run.ComeToTheMoment();
        run.ActAtTheMoment();
        run.Settle();
        run.CheckWhatIsPossibleNow();
        stage.Close();
        stage.CheckEnd();
        stage.Transfers.ForEach(transfer => transfer.CheckStatuses());
    }

    /// <summary>
    /// Returns the moment in this transfer's lifetime at which the act occurs. While the callback of the first transfer runs, the other transfers are still in
    /// flight.
    /// </summary>
    private Moment MomentOf(TestedTransfer transfer) =>
        _case.Moment == Moment.InCallback && transfer != _stage.Transfers[0] ? Moment.Submitted : _case.Moment;

    private void ComeToTheMoment()
    {
        if (_case.Moment == Moment.Configured)
            return;
        foreach (TestedTransfer transfer in _stage.Transfers)
            transfer.Submit();
        _stage.Device.WaitForKept(_stage.Transfers.Count, Stage.Patience);
        if (_case.Moment == Moment.Completed)
        {
            _stage.Device.CompleteAll();
            _stage.WaitUntil(() => _stage.Transfers.TrueForAll(transfer => transfer.IsBack));
            _stage.Transfers.ForEach(transfer => transfer.Expect(UsbTransferStatus.Completed));
            bool returned = false;
            _errand.Begin(_ => Volatile.Write(ref returned, true)); // the callback of the errand runs after the callbacks of the transfers have returned
            _stage.WaitUntil(() => Volatile.Read(ref returned));
        }
    }

    private void ActAtTheMoment()
    {
        switch (_case)
        {
            case { Moment: Moment.InCallback }:
                _callbackOver = false;
                _stage.Transfers[0].Expect(UsbTransferStatus.Completed);
                _stage.Transfers[0].DoInCallback(transfer =>
                {
                    ActWhileIn(transfer.Transfer);
                    CheckWhatIsPossibleInCallback(transfer);
                    _callbackOver = true;
                });
                _stage.Device.CompleteOldest(_stage.Transfers[0].Endpoint);
                break;

            // The act occurs during the callback of the errand. No other callback can run at the same time, so the callbacks of the cancelled transfers do not
            // run before the act.
            case { Actor: Actor.Callback } or { Moment: Moment.Cancelling, Actor: Actor.AnotherThread, Pump: not Pump.Nobody }:
                _callbackOver = false;
                _errand.Begin(transfer =>
                {
                    ActWhileIn(transfer);
                    _callbackOver = true;
                });
                break;

            case { Actor: Actor.AnotherThread }:
                _anotherThread = StartActing();
                break;

            default:
                CancelAndPerform();
                break;
        }

        foreach (TestedTransfer transfer in _stage.Transfers)
        {
            if (StatusAfterAct(transfer) is { } status)
                transfer.Expect(status);
        }
    }

    /// <summary>
    /// Performs the act in the callback of <paramref name="current"/>. If another thread acts, this method returns when the act has ended, or when the act
    /// waits for the end of this callback.
    /// </summary>
    private void ActWhileIn(UsbTransfer current)
    {
        if (_case.Actor == Actor.Callback)
        {
            CancelAndPerform();
            return;
        }

        _anotherThread = StartActing();
        _stage.Until(() => _acted || IsUnderWay());
    }

    private Thread StartActing()
    {
        var thread = new Thread(() =>
        {
            try
            {
                CancelAndPerform();
            }
            catch (Exception exception)
            {
                _stage.Fail(exception);
            }
        });
        thread.Start();
        return thread;
    }

    private void CancelAndPerform()
    {
        if (_case.Moment == Moment.Cancelling)
        {
            foreach (TestedTransfer transfer in _stage.Transfers)
                transfer.Transfer.Cancel();
            Assert.Equal(0, _stage.Device.Kept);
        }

        Perform();
        _acted = true;
    }

    private void Perform()
    {
        switch (_case.Act)
        {
            case Act.DisposeTransfer:
                _stage.Transfers.ForEach(transfer => transfer.Transfer.Dispose());
                break;
            case Act.CloseTransfer:
                foreach (TestedTransfer transfer in _stage.Transfers)
                {
                    if (IsInFlight(transfer))
                        Assert.Throws<InvalidOperationException>(transfer.Transfer.Close);
                    else
                        transfer.Transfer.Close();
                }

                break;
            case Act.DoomTransfer:
                _stage.Transfers.ForEach(transfer => transfer.Transfer.Doom());
                break;
            case Act.DisposeHandle:
                _stage.Handle.Dispose();
                break;
            case Act.DisposeContext:
                _stage.Context.Dispose();
                break;
            case Act.Unplug:
                _stage.Bus.Detach(_stage.Device);
                break;
            case Act.StopEventThread:
                _stage.Events!.Dispose();
                break;
        }
    }

    /// <summary>Determines whether the transfer is in flight when the act occurs.</summary>
    private bool IsInFlight(TestedTransfer transfer) => MomentOf(transfer) is Moment.Submitted or Moment.Cancelling;

    /// <summary>Gets whether transfers stay in flight after the act.</summary>
    private bool LeavesInFlight => _case.Act is Act.CloseTransfer or Act.DoomTransfer or Act.StopEventThread;

    /// <summary>Returns the status with which a transfer in flight completes after the act; null for a transfer that was not in flight.</summary>
    private UsbTransferStatus? StatusAfterAct(TestedTransfer transfer) =>
        !IsInFlight(transfer) ? null
        : MomentOf(transfer) == Moment.Cancelling ? UsbTransferStatus.Canceled // the status from before the act
        : _case.Act == Act.Unplug ? UsbTransferStatus.NoDevice
        : LeavesInFlight && _case.Pump != Pump.Nobody ? UsbTransferStatus.Completed // Settle completes the transfer
        : UsbTransferStatus.Canceled;

    /// <summary>Waits until all effects of the act have ended.</summary>
    private void Settle()
    {
        if (_case.Pump == Pump.Nobody)
        {
            _anotherThread!.Join();
            _stage.ThrowFailure();
            return;
        }

        _stage.WaitUntil(() => _acted && _callbackOver);
        _anotherThread?.Join();
        if (LeavesInFlight && _case.Moment is (Moment.Submitted or Moment.InCallback))
        {
            _stage.Device.WaitForKept(_stage.Transfers.Count(transfer => transfer.Transfer.IsSubmitted), Stage.Patience);
            _stage.Device.CompleteAll();
        }

        _stage.WaitUntil(() => _stage.Transfers.TrueForAll(transfer => transfer.IsBack && (FateOf(transfer) != Fate.Disposed || transfer.Transfer.IsDisposed)));
        if (_case.Act == Act.Unplug)
            _stage.Until(IsUnplugNoticed);
        if (_case.Act == Act.DisposeContext)
            _stage.Close();
    }
}
