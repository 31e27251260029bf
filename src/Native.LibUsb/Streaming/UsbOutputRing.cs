using Native.LibUsb.Interop;

namespace Native.LibUsb.Streaming;

/// <summary>
/// Represents a ring that writes. If the program starts the ring with <see cref="Start{THandler}"/> or <see cref="Start(UsbOutputCallback)"/>, a handler fills
/// each free buffer. If the program starts the ring with <see cref="Start()"/>, other code takes the buffers with <see cref="TryAcquire(out UsbOutputBuffer)"/>
/// or <see cref="AcquireAsync"/>, and fills them. The ring sends buffers in the order in which they are committed.
/// </summary>
/// <remarks>
/// A failed bulk or interrupt transfer stops the ring. Otherwise, the device would receive a stream with missing data. The ring keeps the data that the device
/// has not taken, and sends this data first when the ring is started again. An isochronous ring continues after a failed transfer. If a handler throws an
/// exception, the context raises the event <see cref="UsbContext.UnhandledCallbackException"/>, and the stream continues. If the event has no subscriber, the
/// method that handles USB events throws the exception. On an event thread of the library, such an exception ends the process.
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

    /// <summary>Gets the number of committed bytes that the device has not taken yet.</summary>
    public long UnsentBytes => _output.UnsentBytes;

    internal override IRingContent Content => _output;

    internal RingSignal Signal { get; }

    /// <summary>
    /// Gets whether the ring collects committed buffers without submitting them. The ring does so while the method Start calls the handler. When the queue is
    /// full or the handler has no more data, the ring submits the buffers together. The caller holds the lock.
    /// </summary>
    internal bool HoldsBackLocked => _producer == ProducerState.Filling;

    // If this property is true, the program refills the queue during the callback of a transfer: the callback calls the handler, or it resumes code that waits
    // for a buffer. In this case, the program first refills the queue, and the ring then counts the transfers in flight. If the property is false, code that
    // waits for a buffer may resume after the callback. In this case, the ring first counts the transfers in flight, and then signals the waiting code.
    private bool RefillsInCallback => _pushes || Configuration.Options.ContinueOnEventThread;

    /// <summary>
    /// Starts the ring for code that writes with <see cref="TryAcquire(out UsbOutputBuffer)"/> or <see cref="AcquireAsync"/>. The ring first sends the data
    /// that an earlier run has not sent.
    /// </summary>
    /// <exception cref="InvalidOperationException">The ring is already running, or is still being stopped.</exception>
    /// <exception cref="UsbException">libusb refused the first transfer, or the device is gone.</exception>
    /// <exception cref="ObjectDisposedException">The ring, its interface or its device handle is disposed.</exception>
    public void Start() => Begin<PullProducer>(null, pushes: false);

    /// <summary>
    /// Starts the ring with a static handler, which fills each free buffer. The calling thread calls the handler for the first buffers, and the ring submits
    /// these buffers together when the queue is full. After that, the event thread calls the handler.
    /// </summary>
    /// <typeparam name="THandler">
    /// A type, usually an empty struct, that implements the handler. The handler can store its state in <see cref="UsbRing.State"/>.
    /// </typeparam>
    /// <exception cref="InvalidOperationException">The ring is already running, or is still being stopped.</exception>
    /// <exception cref="UsbException">
    /// libusb refused the first transfer, or the device is gone. If the device is gone, the ring cancels the transfers that it has already submitted.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The ring, its interface or its device handle is disposed.</exception>
    public void Start<THandler>()
        where THandler : struct, IUsbOutputHandler => Begin<PushProducer<THandler>>(null, pushes: true);

    /// <summary>
    /// Starts the ring with a callback, which fills each free buffer. The calling thread calls the callback for the first buffers, and the ring submits these
    /// buffers together when the queue is full. After that, the event thread calls the callback.
    /// </summary>
    /// <param name="callback">The callback.</param>
    /// <exception cref="ArgumentNullException"><paramref name="callback"/> is null.</exception>
    /// <exception cref="InvalidOperationException">The ring is already running, or is still being stopped.</exception>
    /// <exception cref="UsbException">
    /// libusb refused the first transfer, or the device is gone. If the device is gone, the ring cancels the transfers that it has already submitted.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The ring, its interface or its device handle is disposed.</exception>
    public void Start(UsbOutputCallback callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        Begin<PushProducer<CallbackHandler>>(callback, pushes: true);
    }

    private void Begin<TProducer>(UsbOutputCallback? callback, bool pushes)
        where TProducer : struct, IProducer
    {
        Engine.Reserve(); // if the ring already runs, this call throws before anything has changed
        _callback = callback;
        _pushes = pushes;
        if (pushes)
            _producer = ProducerState.Filling;
        _produce = &TProducer.Produce;
        Engine.Start(null, producing: pushes);
        using (new CallbackScope(Handle.Context.NativeHandle)) // if the handler closes objects, the library closes them in RunDeferred
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

    /// <summary>
    /// Records the number of transfers in flight. The caller holds the lock. If <see cref="RefillsInCallback"/> is true, a callback calls this method after the
    /// program has refilled the queue. If the property is false, a callback calls this method before the callback signals the program.
    /// </summary>
    /// <returns>True if the ring runs and no transfer is in flight. In this case, the method has counted an underrun.</returns>
    private bool CountInFlightLocked()
    {
        RingEngine engine = Engine;
        if (!engine.Run.IsRunning) // a ring that is stopping takes all transfers back
            return false;
        engine.Counters.InFlight(engine.Queue.InFlight);
        if (engine.Queue.InFlight > 0)
            return false;
        engine.Counters.Underrun();
        return true;
    }

    /// <summary>Takes a buffer for the program, if a buffer is free.</summary>
    /// <param name="onlyForQueue">
    /// True to take a buffer only if the queue has room for it. The queue has no room if it is full of transfers in flight and committed buffers.
    /// </param>
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

    /// <summary>Takes a buffer back from the program, and sends its content.</summary>
    /// <param name="transfer">The transfer to which the buffer belongs.</param>
    /// <param name="loan">The value that <see cref="RingTransfer.Loan"/> had when the program received the buffer.</param>
    /// <param name="length">The number of bytes.</param>
    /// <param name="endsMessage">Whether a zero-length packet follows if the last packet is full.</param>
    /// <param name="packetLengths">The lengths of isochronous packets; empty for packets of <see cref="UsbRing.PacketSize"/>.</param>
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

    /// <summary>Takes a buffer back from the program without sending it. If the program no longer has the buffer, the method does nothing.</summary>
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
        transfer.Loan++; // all copies of the buffer are stale from here on
        return true;
    }

    /// <summary>
    /// Returns whether the calling thread must call the handler. If another thread is already calling the handler, the result is false, and that thread calls
    /// the handler again if necessary (<see cref="TryEndProducing"/>).
    /// </summary>
    private bool TryBeginProducing()
    {
        RingEngine engine = Engine;
        engine.Lock.Enter();
        bool begins = _producer == ProducerState.Idle;
        if (begins)
            engine.Run.BeginCallback(); // the run does not end before the handler has returned
        _producer = _producer switch
        {
            ProducerState.Idle => ProducerState.Asking,
            ProducerState.Asking => ProducerState.AskingAgain,
            ProducerState other => other,
        };
        engine.Lock.Exit();
        return begins;
    }

    /// <summary>Submits the buffers that the handler has filled.</summary>
    /// <returns>
    /// False if the caller must call the handler again: a transfer ended while the handler ran, and no transfer is in flight now, so no later callback will
    /// call the handler. In all other cases, the result is true.
    /// </returns>
    private bool TryEndProducing()
    {
        RingEngine engine = Engine;
        engine.Lock.Enter();
        if (_producer == ProducerState.Filling)
            _producer = ProducerState.Asking; // the filled buffers are no longer held back
        engine.SubmitLocked(); // the lock is free while libusb submits, so a transfer may end during this call
        bool ends = _producer == ProducerState.Asking || engine.Queue.InFlight > 0;
        _producer = ends ? ProducerState.Idle : ProducerState.Asking;
        if (ends)
            engine.Run.EndCallback();

        engine.Lock.Exit();
        engine.AfterLock();
        return ends;
    }

    /// <summary>Defines the source of the ring's data.</summary>
    private interface IProducer
    {
        /// <summary>Begins a run after the ring was started.</summary>
        static abstract void Begin(UsbOutputRing ring);

        /// <summary>Offers a free buffer to the program, on the event thread.</summary>
        static abstract void Produce(UsbOutputRing ring);
    }

    /// <summary>Signals the code that fills and commits the buffers.</summary>
    private readonly struct PullProducer : IProducer
    {
        public static void Begin(UsbOutputRing ring) => ring.Signal.Set();

        public static void Produce(UsbOutputRing ring) => ring.Signal.Set();
    }

    /// <summary>Calls a handler that fills the buffers, on the thread that handles events.</summary>
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
            catch (Exception exception) // the stream continues
            {
                ring.Handle.Context.ReportCallbackException(ring, exception);
            }

            bool committed = transfer.Loan != loan;
            buffer.Dispose();
            return committed; // a handler that has not committed the buffer has no data now
        }
    }

    private readonly struct CallbackHandler : IUsbOutputHandler
    {
        public static void Fill(UsbOutputBuffer buffer) => buffer.Ring._callback!(buffer);
    }
}
