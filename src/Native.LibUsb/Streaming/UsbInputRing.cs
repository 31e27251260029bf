using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Native.LibUsb.Streaming;

/// <summary>
/// A ring that reads: its data goes to a handler on the event thread (<see cref="Start{THandler}"/>,
/// <see cref="Start(UsbInputCallback)"/>), or is read by code of its own (<see cref="Start()"/> and <see cref="TryTake(out UsbInputBuffer)"/>, <see cref="ReadAsync"/>,
/// <see cref="ReadAllAsync"/>).
/// </summary>
public sealed partial class UsbInputRing : UsbRing
{
    private readonly RingSignal _signal;
    private readonly MissedIntervals? _missed;
    private UsbInputCallback? _callback;
    private bool _pulled;
    private long _intervals;
    private long _lastCompletion;

    internal UsbInputRing(UsbEndpoint endpoint, RingPlan plan)
        : base(endpoint, plan)
    {
        _signal = new RingSignal(plan.Options.ContinueOnEventThread);
        if (plan.IsIsochronous)
            _missed = new MissedIntervals(plan.ServiceInterval, plan.Packets);
    }

    /// <summary>Starts it for code that reads with <see cref="ReadAsync"/> and its kind.</summary>
    /// <exception cref="InvalidOperationException">It runs, or it is to drop data and has no spare buffers.</exception>
    /// <exception cref="UsbException">libusb refused a transfer; those that were in flight are cancelled.</exception>
    /// <exception cref="ObjectDisposedException">It, or its device handle, is disposed.</exception>
    public void Start()
    {
        if (Plan.Drops && Plan.Spares == 0)
            throw new InvalidOperationException("A ring that is read and drops what comes too fast needs spare buffers: set Spares, or Overflow to Wait.");
        Begin<PullConsumer>(pulled: true);
    }

    /// <summary>Starts it for a static handler, called on the event thread for each buffer; calling it costs what a direct call does.</summary>
    /// <typeparam name="THandler">A type, usually an empty struct, with the method to call. Its state is in <see cref="UsbRing.State"/>.</typeparam>
    /// <exception cref="InvalidOperationException">It runs.</exception>
    /// <exception cref="UsbException">libusb refused a transfer; those that were in flight are cancelled.</exception>
    /// <exception cref="ObjectDisposedException">It, or its device handle, is disposed.</exception>
    public void Start<THandler>()
        where THandler : struct, IUsbInputHandler => Begin<PushConsumer<THandler>>(pulled: false);

    /// <summary>Starts it for a callback, called on the event thread for each buffer.</summary>
    /// <param name="callback">What to call. The buffer is the ring's again when it returns.</param>
    /// <exception cref="ArgumentNullException"><paramref name="callback"/> is null.</exception>
    /// <exception cref="InvalidOperationException">It runs.</exception>
    /// <exception cref="UsbException">libusb refused a transfer; those that were in flight are cancelled.</exception>
    /// <exception cref="ObjectDisposedException">It, or its device handle, is disposed.</exception>
    public void Start(UsbInputCallback callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        _callback = callback;
        Begin<PushConsumer<CallbackHandler>>(pulled: false);
    }

    private void Begin<TConsumer>(bool pulled)
        where TConsumer : struct, IConsumer
    {
        CheckCanStart();
        _pulled = pulled;
        foreach (RingSlot slot in Slots)
            slot.Transfer.SetHandler<Completion<TConsumer>>();
        Run();
    }

    private protected override void Wake() => _signal.Set();

    private protected override void OnRunning() => Fill();

    private protected override void OnEmpty()
    {
        if (_missed is null)
            return;
        _missed.Finish(_lastCompletion);
        Counters.MissedIntervals = _missed.Count;
    }

    private void OnCompleted<TConsumer>(RingSlot slot)
        where TConsumer : struct, IConsumer
    {
        long begin = Stopwatch.GetTimestamp();
        bool taken = false;
        Gate.Enter(ref taken);
        TakeBack(slot, begin);
        CountMissed(slot, begin);
        Fill(); // first of all the queue is full again
        if (_pulled && Plan.Drops && WantsMore)
            Drop(slot);
        if (IsRunning) // one that stops takes everything back
            Counters.Armed(Armed);
        bool ready = Order.First is { State: RingSlotState.Done };
        Gate.Exit();

        if (ready)
            TConsumer.Consume(this);
        AfterGate();
        Counters.LongestCallbackTicks = Math.Max(Counters.LongestCallbackTicks, Stopwatch.GetTimestamp() - begin);
    }

    /// <summary>Under the gate: nothing is free, so what has just arrived is thrown away, and its buffer is submitted again.</summary>
    private void Drop(RingSlot slot)
    {
        if (slot.State != RingSlotState.Done)
            return;
        var loss = new UsbRingLoss(1, slot.Packets, slot.Length);
        Counters.Drop(slot, loss);
        Skip(slot, loss);
        if (!Arm(slot))
            PutFree(slot);
    }

    /// <summary>Under the gate: takes a buffer out of the order that will not be delivered; the one after it tells what was lost.</summary>
    private void Skip(RingSlot slot, UsbRingLoss loss)
    {
        UsbRingLoss all = slot.LostBefore.Plus(loss);
        if (slot.Later is { } next)
            next.LostBefore = next.LostBefore.Plus(all);
        else
            PendingLoss = PendingLoss.Plus(all);
        Order.Remove(slot);
    }

    /// <summary>Takes the next buffer, when it is there.</summary>
    private RingSlot? TakeNext()
    {
        RingSlot? next = null;
        bool taken = false;
        Gate.Enter(ref taken);
        while (next is null && Order.First is { State: RingSlotState.Done } first)
        {
            if (HasNothing(first))
            {
                Skip(first, default);
                PutFree(first);
                continue;
            }

            Order.Remove(first);
            first.State = RingSlotState.Lent;
            first.Loan++;
            next = first;
        }

        if (WantsMore)
            Fill();
        Gate.Exit();
        AfterGate();
        return next;
    }

    // Cut short before anything had arrived.
    private static bool HasNothing(RingSlot slot) =>
        slot.Length == 0 && slot.Packets == 0 && slot.Status is UsbTransferStatus.Canceled or UsbTransferStatus.NoDevice;

    /// <summary>Takes a buffer back from the program.</summary>
    internal void Return(RingSlot slot, long loan)
    {
        bool taken = false;
        Gate.Enter(ref taken);
        if (slot.State == RingSlotState.Lent && slot.Loan == loan)
        {
            slot.Loan++; // whoever still has it has nothing
            PutFree(slot);
            Fill();
        }

        Gate.Exit();
        AfterGate();
    }

    // Under the gate.
    private void CountMissed(RingSlot slot, long now)
    {
        if (_missed is null || slot.Status != UsbTransferStatus.Completed)
            return;
        _intervals += Plan.Packets;
        _lastCompletion = now;
        _missed.Add(now, _intervals);
        Counters.MissedIntervals = _missed.Count;
    }

    /// <summary>What is done with buffers whose turn has come.</summary>
    private interface IConsumer
    {
        static abstract void Consume(UsbInputRing ring);
    }

    /// <summary>Other code reads them.</summary>
    private readonly struct PullConsumer : IConsumer
    {
        public static void Consume(UsbInputRing ring) => ring._signal.Set();
    }

    /// <summary>A handler gets them here and now.</summary>
    private readonly struct PushConsumer<THandler> : IConsumer
        where THandler : struct, IUsbInputHandler
    {
        public static void Consume(UsbInputRing ring)
        {
            while (ring.TakeNext() is { } slot)
            {
                var buffer = new UsbInputBuffer(slot);
                try
                {
                    THandler.OnBuffer(buffer);
                }
                catch (Exception exception) // the stream goes on
                {
                    ring.Handle.Context.ReportCallbackException(ring, exception);
                }
                finally
                {
                    buffer.Dispose();
                }
            }
        }
    }

    private readonly struct CallbackHandler : IUsbInputHandler
    {
        public static void OnBuffer(UsbInputBuffer buffer) => buffer.Ring._callback!(buffer);
    }

    private readonly struct Completion<TConsumer> : IUsbTransferHandler
        where TConsumer : struct, IConsumer
    {
        public static void OnCompleted(UsbTransfer transfer)
        {
            RingSlot slot = Unsafe.As<RingSlot>(transfer.State!);
            Unsafe.As<UsbInputRing>(slot.Ring).OnCompleted<TConsumer>(slot);
        }
    }
}
