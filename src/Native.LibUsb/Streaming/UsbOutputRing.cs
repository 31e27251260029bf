using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Native.LibUsb.Streaming;

/// <summary>
/// A ring that writes: a handler on the event thread fills each buffer that is free (<see cref="Start{THandler}"/>,
/// <see cref="Start(UsbOutputCallback)"/>), or code of the program's own does (<see cref="Start()"/> and <see cref="TryAcquire(out UsbOutputBuffer)"/>,
/// <see cref="AcquireAsync"/>). What is committed first is sent first.
/// </summary>
/// <remarks>
/// A bulk or interrupt transfer that fails stops the ring: what follows would be behind a hole. What the device has not taken by then is kept, and is
/// sent first when the ring is started again. Isochronous transfers go on whatever becomes of them.
/// </remarks>
public sealed partial class UsbOutputRing : UsbRing
{
    // What keeps an isochronous endpoint busy while the next transfer is being made.
    private const int FewestIsochronous = 2;

    private readonly RingSignal _signal;

    // Committed, and waiting until the queue has room; oldest first. Under the gate.
    private readonly Queue<RingSlot> _waiting;
    private UsbOutputCallback? _callback;
    private bool _pushes;

    // One thread at a time asks the handler; another one that comes meanwhile leaves it the work. Under the gate.
    private bool _producing;
    private bool _produceAgain;

    // Start has its handler fill the whole queue before any of it is submitted. Otherwise a device that takes buffers as fast as they are filled would
    // keep it there for ever. Under the gate.
    private bool _gathering;

    internal UsbOutputRing(UsbEndpoint endpoint, RingPlan plan)
        : base(endpoint, plan)
    {
        _signal = new RingSignal(plan.Options.ContinueOnEventThread);
        _waiting = new Queue<RingSlot>(plan.Transfers + plan.Spares);
    }

    /// <summary>Bytes that were committed and that the device has not taken yet.</summary>
    public long UnsentBytes
    {
        get
        {
            long sum = 0;
            bool taken = false;
            Gate.Enter(ref taken);
            for (RingSlot? slot = Order.First; slot is not null; slot = slot.Later)
                sum += slot.IsFiller ? 0 : slot.Committed - slot.Sent;
            foreach (RingSlot slot in _waiting)
                sum += slot.Committed - slot.Sent;
            Gate.Exit();
            return sum;
        }
    }

    private protected override bool StopsAtFailure => !Plan.IsIsochronous;

    // The handler, or code that goes on in the callback, has the time of the callback. Other code had to be there before: whether it comes while
    // the callback still runs is chance, and counts would be too.
    private bool RefillsInCallback => _pushes || Plan.Options.ContinueOnEventThread;

    /// <summary>Starts it for code that writes with <see cref="AcquireAsync"/> and its kind; what was not sent before is sent first.</summary>
    /// <exception cref="InvalidOperationException">It runs.</exception>
    /// <exception cref="UsbException">libusb refused a transfer.</exception>
    /// <exception cref="ObjectDisposedException">It, or its device handle, is disposed.</exception>
    public void Start() => Begin<PullProducer>(pushes: false);

    /// <summary>
    /// Starts it for a static handler, called on the event thread to fill each buffer that is free, and here for the first ones, which are submitted
    /// together when the queue is full.
    /// </summary>
    /// <typeparam name="THandler">A type, usually an empty struct, with the method to call. Its state is in <see cref="UsbRing.State"/>.</typeparam>
    /// <exception cref="InvalidOperationException">It runs.</exception>
    /// <exception cref="UsbException">libusb refused a transfer; those that were in flight are cancelled.</exception>
    /// <exception cref="ObjectDisposedException">It, or its device handle, is disposed.</exception>
    public void Start<THandler>()
        where THandler : struct, IUsbOutputHandler => Begin<PushProducer<THandler>>(pushes: true);

    /// <summary>
    /// Starts it for a callback, called on the event thread to fill each buffer that is free, and here for the first ones, which are submitted
    /// together when the queue is full.
    /// </summary>
    /// <param name="callback">What to call.</param>
    /// <exception cref="ArgumentNullException"><paramref name="callback"/> is null.</exception>
    /// <exception cref="InvalidOperationException">It runs.</exception>
    /// <exception cref="UsbException">libusb refused a transfer; those that were in flight are cancelled.</exception>
    /// <exception cref="ObjectDisposedException">It, or its device handle, is disposed.</exception>
    public void Start(UsbOutputCallback callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        _callback = callback;
        Begin<PushProducer<CallbackHandler>>(pushes: true);
    }

    private void Begin<TProducer>(bool pushes)
        where TProducer : struct, IProducer
    {
        CheckCanStart();
        _pushes = pushes;
        foreach (RingSlot slot in Slots)
            slot.Transfer.SetHandler<Completion<TProducer>>();
        Run();
        TProducer.Begin(this);
        AfterGate();
        ThrowIfFailed();
    }

    // What the device has not taken of it.
    private protected override void Prepare(RingSlot slot)
    {
        if (Plan.IsIsochronous)
            slot.Transfer.UsePackets(slot.Committed, Plan.PacketSize);
        else
            slot.Transfer.UsePart(slot.Sent, slot.Committed - slot.Sent, slot.EndsMessage);
    }

    private protected override void Wake() => _signal.Set();

    private protected override void OnRunning()
    {
        // What was in flight when it stopped and did not get through, before all that waited behind it.
        int behind = _waiting.Count;
        while (Order.First is { } unsent)
        {
            Order.Remove(unsent);
            _waiting.Enqueue(unsent);
        }

        for (; behind > 0; behind--)
            _waiting.Enqueue(_waiting.Dequeue());
        SendWaiting();
    }

    private void OnCompleted<TProducer>(RingSlot slot)
        where TProducer : struct, IProducer
    {
        long begin = Stopwatch.GetTimestamp();
        bool taken = false;
        Gate.Enter(ref taken);
        TakeBack(slot, begin);
        slot.Sent += slot.Length;
        if (Plan.IsIsochronous || slot.Status == UsbTransferStatus.Completed)
        {
            Order.Remove(slot);
            PutFree(slot);
        }

        SendWaiting();
        bool ranDry = !RefillsInCallback && CountArmed();
        Gate.Exit();

        TProducer.Produce(this);
        FillUnderrun(ranDry);
        AfterGate();
        Counters.LongestCallbackTicks = Math.Max(Counters.LongestCallbackTicks, Stopwatch.GetTimestamp() - begin);
    }

    /// <summary>Under the gate: submits what waits, as far as there is room. What is refused waits on, and is tried again with the next that comes back.</summary>
    private void SendWaiting()
    {
        while (!_gathering && WantsMore && _waiting.TryPeek(out RingSlot? slot))
        {
            if (!Arm(slot))
                return;
            _waiting.Dequeue();
        }
    }

    /// <summary>Under the gate: counts what is in flight after all had their turn to commit more.</summary>
    /// <returns>Whether nothing is, which has been counted too.</returns>
    private bool CountArmed()
    {
        if (!IsRunning) // one that stops takes everything back
            return false;
        Counters.Armed(Armed);
        if (Armed > 0)
            return false;
        Counters.Underruns++;
        return true;
    }

    /// <summary>Nothing was committed in time.</summary>
    private void FillUnderrun(bool ranDry)
    {
        bool taken = false;
        Gate.Enter(ref taken);
        if (RefillsInCallback)
            ranDry = CountArmed();
        if (Plan.IsIsochronous && Plan.Options.FillUnderruns)
        {
            while (WantsMore && Armed < FewestIsochronous && TakeFree() is { } slot)
            {
                if (!ranDry) // otherwise it is counted
                    Counters.Underruns++;
                ranDry = false;
                slot.Memory.Span.Clear();
                slot.Committed = slot.Memory.Length;
                slot.Sent = 0;
                slot.IsFiller = true;
                if (!Arm(slot))
                    PutFree(slot);
            }
        }

        Gate.Exit();
    }

    /// <summary>Takes a buffer for the program, when one is free.</summary>
    private RingSlot? Lend(bool onlyForQueue)
    {
        bool taken = false;
        Gate.Enter(ref taken);
        RingSlot? slot = IsRunning && (!onlyForQueue || Armed + _waiting.Count < Plan.Transfers) ? TakeFree() : null;
        if (slot is not null)
        {
            slot.State = RingSlotState.Lent;
            slot.Loan++;
        }

        Gate.Exit();
        return slot;
    }

    /// <summary>Takes a buffer back from the program, with something to send or without.</summary>
    internal void Return(RingSlot slot, long loan, int committed, bool endsMessage)
    {
        bool taken = false;
        bool ours;
        Gate.Enter(ref taken);
        ours = slot.State == RingSlotState.Lent && slot.Loan == loan;
        if (ours)
        {
            slot.Loan++; // whoever still has it has nothing
            if (committed < 0)
            {
                PutFree(slot);
            }
            else
            {
                slot.Committed = committed;
                slot.Sent = 0;
                slot.IsFiller = false;
                slot.EndsMessage = endsMessage;
                _waiting.Enqueue(slot);
                SendWaiting();
            }
        }

        Gate.Exit();
        AfterGate();
        if (!ours && committed >= 0)
            throw new ObjectDisposedException(nameof(UsbOutputBuffer), "The buffer was committed or disposed before.");
    }

    private bool BeginProducing(bool gathering)
    {
        bool taken = false;
        Gate.Enter(ref taken);
        bool ours = !_producing;
        _producing = true;
        _produceAgain = !ours;
        if (ours)
            _gathering = gathering;
        Gate.Exit();
        return ours;
    }

    /// <summary>Submits what was gathered.</summary>
    /// <returns>False: a transfer came back meanwhile and left its work here, and no other one is in flight that would ask again.</returns>
    private bool EndProducing()
    {
        bool taken = false;
        Gate.Enter(ref taken);
        bool gathered = _gathering;
        _gathering = false;
        SendWaiting();
        bool ended = !_produceAgain || Armed > 0;
        _produceAgain = false;
        _producing = !ended;
        _gathering = gathered && !ended;
        Gate.Exit();
        return ended;
    }

    /// <summary>Where the data comes from.</summary>
    private interface IProducer
    {
        /// <summary>The ring has just been started.</summary>
        static abstract void Begin(UsbOutputRing ring);

        /// <summary>On the event thread: a buffer is free.</summary>
        static abstract void Produce(UsbOutputRing ring);
    }

    /// <summary>Other code commits it.</summary>
    private readonly struct PullProducer : IProducer
    {
        public static void Begin(UsbOutputRing ring) => ring._signal.Set();

        public static void Produce(UsbOutputRing ring) => ring._signal.Set();
    }

    /// <summary>A handler fills buffers here and now.</summary>
    private readonly struct PushProducer<THandler> : IProducer
        where THandler : struct, IUsbOutputHandler
    {
        public static void Begin(UsbOutputRing ring) => Produce(ring, gathering: true);

        public static void Produce(UsbOutputRing ring)
        {
            ring._signal.Set(); // for who flushes
            Produce(ring, gathering: false);
        }

        private static void Produce(UsbOutputRing ring, bool gathering)
        {
            if (!ring.BeginProducing(gathering))
                return;
            do
            {
                while (Fill(ring))
                {
                }
            }
            while (!ring.EndProducing());
        }

        private static bool Fill(UsbOutputRing ring)
        {
            if (ring.Lend(onlyForQueue: true) is not { } slot)
                return false;
            var buffer = new UsbOutputBuffer(slot);
            long loan = slot.Loan;
            try
            {
                THandler.Fill(buffer);
            }
            catch (Exception exception) // the stream goes on
            {
                ring.Handle.Context.ReportCallbackException(ring, exception);
            }

            bool committed = slot.Loan != loan;
            buffer.Dispose();
            return committed; // otherwise it has nothing now
        }
    }

    private readonly struct CallbackHandler : IUsbOutputHandler
    {
        public static void Fill(UsbOutputBuffer buffer) => buffer.Ring._callback!(buffer);
    }

    private readonly struct Completion<TProducer> : IUsbTransferHandler
        where TProducer : struct, IProducer
    {
        public static void OnCompleted(UsbTransfer transfer)
        {
            RingSlot slot = Unsafe.As<RingSlot>(transfer.State!);
            Unsafe.As<UsbOutputRing>(slot.Ring).OnCompleted<TProducer>(slot);
        }
    }
}
