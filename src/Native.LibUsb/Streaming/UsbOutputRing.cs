using Native.LibUsb.Interop;

namespace Native.LibUsb.Streaming;

/// <summary>
/// Represents a ring that writes. A handler on the event thread fills each buffer that is free (<see cref="Start{THandler}"/>,
/// <see cref="Start(UsbOutputCallback)"/>), or other code does (<see cref="Start()"/> and <see cref="TryAcquire(out UsbOutputBuffer)"/>,
/// <see cref="AcquireAsync"/>). Buffers are sent in the order in which they are committed.
/// </summary>
/// <remarks>
/// A bulk or interrupt transfer that fails stops the ring, because the data behind it would follow a hole. The ring keeps the data that the device has not taken by
/// then, and sends it first when it is started again. An isochronous ring goes on after a failed transfer. An exception that leaves a handler goes to
/// <see cref="UsbContext.UnhandledCallbackException"/>, and the stream goes on. Without a subscriber, the call that handles events throws it, and on an event
/// thread of the library it ends the process.
/// </remarks>
public sealed unsafe partial class UsbOutputRing : UsbRing
{
    private readonly OutputQueue _output;
    private UsbOutputCallback? _callback;
    private delegate*<UsbOutputRing, void> _produce;
    private bool _pushes;
    private ProducerState _producer;

    internal UsbOutputRing(UsbEndpoint endpoint, RingConfiguration configuration)
        : base(endpoint, configuration)
    {
        Signal = new RingSignal(configuration.Options.ContinueOnEventThread);
        _output = new OutputQueue(this);
        TakeEndpoint();
    }

    /// <summary>Gets the number of bytes that were committed and that the device has not taken yet.</summary>
    public long UnsentBytes => _output.UnsentBytes;

    internal override IRingContent Content => _output;

    internal RingSignal Signal { get; }

    /// <summary>Gets whether committed buffers wait although there is room for them. Read under the lock.</summary>
    internal bool HoldsBackLocked => _producer == ProducerState.Filling;

    // A handler, or code that continues in the callback, has the duration of the callback to refill the queue. Other code had to commit before: whether it runs
    // while the callback still does is chance, and counts would be too.
    private bool RefillsInCallback => _pushes || Configuration.Options.ContinueOnEventThread;

    /// <summary>Starts the ring for code that writes with <see cref="AcquireAsync"/> or one of its siblings. The ring sends the data that was not sent
    /// before first.</summary>
    /// <exception cref="InvalidOperationException">It runs, or is still being stopped.</exception>
    /// <exception cref="UsbException">libusb refused a transfer.</exception>
    /// <exception cref="ObjectDisposedException">The ring, its interface or its device handle is disposed.</exception>
    public void Start() => Begin<PullProducer>(null, pushes: false);

    /// <summary>
    /// Starts the ring for a static handler, which is called on the event thread to fill each buffer that is free, and on this thread for the first ones, which
    /// are submitted together when the queue is full.
    /// </summary>
    /// <typeparam name="THandler">A type, usually an empty struct, with the method to call. Its state is in <see cref="UsbRing.State"/>.</typeparam>
    /// <exception cref="InvalidOperationException">It runs, or is still being stopped.</exception>
    /// <exception cref="UsbException">libusb refused a transfer; those that were in flight are cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The ring, its interface or its device handle is disposed.</exception>
    public void Start<THandler>()
        where THandler : struct, IUsbOutputHandler => Begin<PushProducer<THandler>>(null, pushes: true);

    /// <summary>
    /// Starts the ring for a callback, which is called on the event thread to fill each buffer that is free, and on this thread for the first ones, which are
    /// submitted together when the queue is full.
    /// </summary>
    /// <param name="callback">The callback.</param>
    /// <exception cref="ArgumentNullException"><paramref name="callback"/> is null.</exception>
    /// <exception cref="InvalidOperationException">It runs, or is still being stopped.</exception>
    /// <exception cref="UsbException">libusb refused a transfer; those that were in flight are cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The ring, its interface or its device handle is disposed.</exception>
    public void Start(UsbOutputCallback callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        Begin<PushProducer<CallbackHandler>>(callback, pushes: true);
    }

    private void Begin<TProducer>(UsbOutputCallback? callback, bool pushes)
        where TProducer : struct, IProducer
    {
        Engine.Reserve(); // a ring that runs refuses, and nothing has changed
        _callback = callback;
        _pushes = pushes;
        if (pushes)
            _producer = ProducerState.Filling;
        _produce = &TProducer.Produce;
        Engine.Start(null, producing: pushes);
        using (new CallbackScope(Handle.Context.NativeHandle)) // the handler may close what must wait until it has returned
            TProducer.Begin(this);
        Handle.Context.RunDeferred();
        ThrowIfFailed();
    }

    internal override void CompleteSlowly(RingTransfer transfer, libusb_transfer* native, long now, UsbError refused)
    {
        RingEngine engine = Engine;
        TransferResults results = RingEngine.ReadResults(transfer, native, now);
        engine.Lock.Enter();
        engine.TakeBackLocked(transfer, results);
        _output.TakeBackLocked(transfer);
        engine.SubmitLocked();
        bool ranDry = !RefillsInCallback && CountInFlightLocked();
        engine.Lock.Exit();

        _produce(this);

        engine.Lock.Enter();
        if (RefillsInCallback)
            ranDry = CountInFlightLocked();
        if (Configuration.IsIsochronous && Configuration.Options.FillUnderruns)
            _output.FillLocked(ranDry);
        engine.EndCallbackLocked(mayBeFast: false);
        engine.Lock.Exit();
        engine.AfterLock();
    }

    /// <summary>Counts, under the lock, the transfers in flight after the program had its turn to commit more.</summary>
    /// <returns>Whether none is, which has been counted too.</returns>
    private bool CountInFlightLocked()
    {
        RingEngine engine = Engine;
        if (!engine.Run.IsRunning) // one that stops takes everything back
            return false;
        engine.Counters.InFlight(engine.Queue.InFlight);
        if (engine.Queue.InFlight > 0)
            return false;
        engine.Counters.Underrun();
        return true;
    }

    /// <summary>Takes a buffer for the program, when one is free.</summary>
    /// <param name="onlyForQueue">Whether it is taken only if the queue is not full with transfers in flight and waiting ones.</param>
    private RingTransfer? Lend(bool onlyForQueue)
    {
        RingEngine engine = Engine;
        engine.Lock.Enter();
        RingTransfer? transfer = engine.Run.IsRunning && (!onlyForQueue || engine.Queue.InFlight + _output.Waiting < Configuration.Transfers)
            ? engine.Queue.TakeFree()
            : null;
        if (transfer is not null)
        {
            transfer.State = RingTransferState.Lent;
            transfer.Loan++;
        }

        engine.Lock.Exit();
        return transfer;
    }

    /// <summary>Takes a buffer back from the program, and sends what is in it.</summary>
    /// <param name="transfer">The transfer of the buffer.</param>
    /// <param name="loan">The number of the loan.</param>
    /// <param name="length">The number of bytes.</param>
    /// <param name="endsMessage">Whether a zero-length packet follows when the last packet is full.</param>
    /// <param name="packetLengths">The lengths of isochronous packets; empty for packets of the ring's size.</param>
    /// <exception cref="ObjectDisposedException">The buffer was committed or disposed before.</exception>
    internal void Commit(RingTransfer transfer, long loan, int length, bool endsMessage, ReadOnlySpan<int> packetLengths)
    {
        RingEngine engine = Engine;
        engine.Lock.Enter();
        bool ours = TryEndLoanLocked(transfer, loan);
        if (ours)
        {
            if (packetLengths.IsEmpty)
                transfer.Output.Set(length, endsMessage);
            else
                transfer.Output.SetPackets(packetLengths, length);
            _output.AppendLocked(transfer);
            engine.SubmitLocked();
        }

        engine.Lock.Exit();
        engine.AfterLock();
        if (!ours)
            throw new ObjectDisposedException(nameof(UsbOutputBuffer), "The buffer was committed or disposed before.");
    }

    /// <summary>Takes a buffer back from the program, if the program still has it, without sending anything.</summary>
    internal void Return(RingTransfer transfer, long loan)
    {
        RingEngine engine = Engine;
        engine.Lock.Enter();
        if (TryEndLoanLocked(transfer, loan))
            engine.Queue.PutFree(transfer);
        engine.Lock.Exit();
    }

    private static bool TryEndLoanLocked(RingTransfer transfer, long loan)
    {
        if (transfer.State != RingTransferState.Lent || transfer.Loan != loan)
            return false;
        transfer.Loan++; // code that still has the buffer has nothing
        return true;
    }

    /// <summary>Begins to call the handler, unless another thread calls it already, which then calls it once more.</summary>
    private bool TryBeginProducing()
    {
        RingEngine engine = Engine;
        engine.Lock.Enter();
        bool begins = _producer == ProducerState.Idle;
        if (begins)
            engine.Run.BeginCallback(); // until the handler has returned, the ring is not at rest
        _producer = _producer switch
        {
            ProducerState.Idle => ProducerState.Asking,
            ProducerState.Asking => ProducerState.AskingAgain,
            ProducerState other => other,
        };
        engine.Lock.Exit();
        return begins;
    }

    /// <summary>Submits what the handler has filled.</summary>
    /// <returns>False if a transfer came back in the meantime, and no other one is in flight whose callback would ask the handler again.</returns>
    private bool TryEndProducing()
    {
        RingEngine engine = Engine;
        engine.Lock.Enter();
        if (_producer == ProducerState.Filling)
            _producer = ProducerState.Asking; // nothing is held back any more
        engine.SubmitLocked(); // the lock is free while libusb submits, and a transfer may come back in the meantime
        bool ends = _producer == ProducerState.Asking || engine.Queue.InFlight > 0;
        _producer = ends ? ProducerState.Idle : ProducerState.Asking;
        if (ends)
            engine.Run.EndCallback();

        engine.Lock.Exit();
        engine.AfterLock();
        return ends;
    }

    /// <summary>Represents the source of the data.</summary>
    private interface IProducer
    {
        /// <summary>Begins a run, when the ring has just been started.</summary>
        static abstract void Begin(UsbOutputRing ring);

        /// <summary>Offers a free buffer to the program, on the event thread.</summary>
        static abstract void Produce(UsbOutputRing ring);
    }

    /// <summary>Leaves the buffer to other code, which commits it.</summary>
    private readonly struct PullProducer : IProducer
    {
        public static void Begin(UsbOutputRing ring) => ring.Signal.Set();

        public static void Produce(UsbOutputRing ring) => ring.Signal.Set();
    }

    /// <summary>Has a handler fill the buffers on the thread that handles events.</summary>
    private readonly struct PushProducer<THandler> : IProducer
        where THandler : struct, IUsbOutputHandler
    {
        public static void Begin(UsbOutputRing ring) => Ask(ring);

        public static void Produce(UsbOutputRing ring)
        {
            ring.Signal.Set(); // for a thread that flushes
            if (ring.TryBeginProducing())
                Ask(ring);
        }

        private static void Ask(UsbOutputRing ring)
        {
            do
            {
                while (Fill(ring))
                {
                }
            }
            while (!ring.TryEndProducing());
        }

        private static bool Fill(UsbOutputRing ring)
        {
            if (ring.Lend(onlyForQueue: true) is not { } transfer)
                return false;
            var buffer = new UsbOutputBuffer(transfer);
            long loan = transfer.Loan;
            try
            {
                THandler.Fill(buffer);
            }
            catch (Exception exception) // the stream goes on
            {
                ring.Handle.Context.ReportCallbackException(ring, exception);
            }

            bool committed = transfer.Loan != loan;
            buffer.Dispose();
            return committed; // otherwise it has nothing now
        }
    }

    private readonly struct CallbackHandler : IUsbOutputHandler
    {
        public static void Fill(UsbOutputBuffer buffer) => buffer.Ring._callback!(buffer);
    }
}
