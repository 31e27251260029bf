using System.Diagnostics;
using System.Runtime.CompilerServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb.Streaming;

/// <summary>
/// Represents a ring that reads. If the program starts the ring with <see cref="Start{THandler}"/> or <see cref="Start(UsbInputCallback)"/>, a handler on the
/// event thread receives the data. If the program starts the ring with <see cref="Start()"/>, other code reads the data with
/// <see cref="TryTake(out UsbInputBuffer)"/>, <see cref="ReadAsync"/> or <see cref="ReadAllAsync"/>.
/// </summary>
/// <remarks>
/// A handler on the event thread needs about as much processor time as a C program that does the same work. Code that awaits <see cref="ReadAsync"/> continues
/// on the thread pool. Such code needs more than twice as much processor time, because each wake-up switches to another thread.
/// <see cref="UsbRingOptions.ContinueOnEventThread"/> avoids the switch. The measurements are in bench/README.md. If a handler throws an exception, the context
/// raises the event <see cref="UsbContext.UnhandledCallbackException"/>, and the stream continues. If the event has no subscriber, the method that handles USB
/// events throws the exception. On an event thread of the library, such an exception ends the process.
/// </remarks>
public sealed unsafe partial class UsbInputRing : UsbRing
{
    private readonly RingSignal _signal;
    private UsbInputCallback? _callback;
    private delegate*<UsbInputRing, void> _consume;
    private bool _pulled;

    internal UsbInputRing(UsbEndpoint endpoint, RingConfiguration configuration)
        : base(endpoint, configuration)
    {
        _signal = new RingSignal(configuration.Options.ContinueOnEventThread);
        Content = new InputContent(this);
        TakeEndpoint();
    }

    internal override IRingContent Content { get; }

    /// <summary>
    /// Starts the ring for code that reads with <see cref="TryTake(out UsbInputBuffer)"/>, <see cref="ReadAsync"/> or <see cref="ReadAllAsync"/>.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// The ring is already running, or the options let the ring drop data (<see cref="UsbRingOptions.Overflow"/>) but give it no spare buffers
    /// (<see cref="UsbRingOptions.Spares"/>).
    /// </exception>
    /// <exception cref="UsbException">
    /// libusb refused the first transfer, or the device is gone. If the device is gone, the ring cancels the transfers that it has already submitted.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The ring, its interface or its device handle is disposed.</exception>
    public void Start()
    {
        if (Configuration.Drops && Configuration.Spares == 0)
            throw new InvalidOperationException("A ring without a handler that drops data needs spare buffers: set Spares, or set Overflow to Wait.");
        Begin<PullConsumer>(null);
    }

    /// <summary>Starts the ring with a static handler. The event thread calls the handler for each buffer. The call is as fast as a direct call.</summary>
    /// <typeparam name="THandler">
    /// A type, usually an empty struct, that implements the handler. The handler can store its state in <see cref="UsbRing.State"/>.
    /// </typeparam>
    /// <exception cref="InvalidOperationException">The ring is already running.</exception>
    /// <exception cref="UsbException">
    /// libusb refused the first transfer, or the device is gone. If the device is gone, the ring cancels the transfers that it has already submitted.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The ring, its interface or its device handle is disposed.</exception>
    public void Start<THandler>()
        where THandler : struct, IUsbInputHandler => Begin<PushConsumer<THandler>>(null);

    /// <summary>Starts the ring with a callback. The event thread calls the callback for each buffer.</summary>
    /// <param name="callback">The callback. The buffer belongs to the ring again when the callback returns.</param>
    /// <exception cref="ArgumentNullException"><paramref name="callback"/> is null.</exception>
    /// <exception cref="InvalidOperationException">The ring is already running.</exception>
    /// <exception cref="UsbException">
    /// libusb refused the first transfer, or the device is gone. If the device is gone, the ring cancels the transfers that it has already submitted.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The ring, its interface or its device handle is disposed.</exception>
    public void Start(UsbInputCallback callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        Begin<PushConsumer<CallbackHandler>>(callback);
    }

    /// <summary>Takes a buffer back from the program.</summary>
    internal void Return(RingTransfer transfer, long loan)
    {
        if (transfer.State != RingTransferState.Lent)
        {
            // If a handler holds the buffer, the exchange below makes the buffer stale, and the ring takes the buffer back when the handler returns. If the
            // buffer is already stale, the exchange does nothing.
            Interlocked.CompareExchange(ref transfer.Loan, loan + 1, loan);
            return;
        }

        LogScope.ThrowIfInside();
        RingEngine engine = Engine;
        engine.Lock.Enter();
        if (transfer.State == RingTransferState.Lent && transfer.Loan == loan)
        {
            transfer.Loan++; // all copies of the buffer are stale from here on
            engine.Queue.PutFree(transfer);
            engine.SubmitLocked();
        }

        engine.Lock.Exit();
        engine.AfterLock();
    }

    private void Begin<TConsumer>(UsbInputCallback? callback)
        where TConsumer : struct, IConsumer
    {
        Engine.Reserve(); // if the ring already runs, this call throws before anything has changed
        _callback = callback;
        _pulled = !TConsumer.IsPush;
        _consume = &TConsumer.Consume;
        Engine.Start(&TConsumer.Deliver, producing: false);
        ThrowIfFailed();
    }

    internal override void CompleteSlowly(RingTransfer transfer, libusb_transfer* native, long now, UsbError refused)
    {
        RingEngine engine = Engine;
        TransferResults results = RingEngine.ReadResults(transfer, native, now);
        engine.Lock.Enter();
        engine.TakeBackLocked(transfer, results);
        if (transfer.Status == UsbTransferStatus.Completed)
            engine.CountIntervals(now, transfer.Packets);
        if (refused != UsbError.Success)
            engine.CountRefusedLocked(refused);
        else if (_pulled && Configuration.Drops && !engine.Queue.HasFree && engine.WantsMore)
            DropLocked(transfer);
        if (refused == UsbError.Success)
            engine.SubmitLocked(); // the queue is full again before the program reads the data
        if (engine.Run.IsRunning) // a ring that is stopping takes all transfers back
            engine.Counters.InFlight(engine.Queue.InFlight);
        bool ready = engine.Queue.First is { State: RingTransferState.Done };
        engine.Lock.Exit();

        if (ready)
            _consume(this);

        engine.Lock.Enter();
        engine.EndCallbackLocked(mayBeFast: !_pulled);
        engine.Lock.Exit();
        engine.AfterLock();
    }

    /// <summary>
    /// Discards the data that has just arrived, so that the ring can submit the buffer again. The caller has found no other free buffer, and holds the lock.
    /// </summary>
    private void DropLocked(RingTransfer transfer)
    {
        var loss = new UsbRingLoss(1, transfer.Packets, transfer.Length);
        Engine.Counters.Drop(transfer, loss);
        Engine.Queue.Skip(transfer, loss);
        Engine.Queue.PutFree(transfer);
    }

    /// <summary>Takes the next buffer if one is ready.</summary>
    /// <param name="to">The new state of the buffer's transfer.</param>
    private RingTransfer? TakeNext(RingTransferState to)
    {
        LogScope.ThrowIfInside();
        RingEngine engine = Engine;
        RingTransfer? next = null;
        engine.Lock.Enter();
        bool mayTake = to == RingTransferState.Handled || _pulled; // the buffers that are ready belong to the handler, if there is one
        while (mayTake && next is null && engine.Queue.First is { State: RingTransferState.Done } first)
        {
            if (first.IsEmptyAfterStop)
            {
                engine.Queue.Skip(first, default);
                engine.Queue.PutFree(first);
                continue;
            }

            engine.Queue.Remove(first);
            first.State = to;
            first.Loan++;
            next = first;
        }

        engine.SubmitLocked();
        engine.Lock.Exit();
        engine.AfterLock();
        return next;
    }

    /// <summary>Takes a buffer back after the handler has returned.</summary>
    private void TakeBackFromHandler(RingTransfer transfer, long loan)
    {
        RingEngine engine = Engine;
        engine.Lock.Enter();
        transfer.Loan = loan + 1;
        engine.Queue.PutFree(transfer);
        engine.SubmitLocked();
        engine.Lock.Exit();
        engine.AfterLock();
    }

    /// <summary>Defines how a ring delivers the buffers that are ready.</summary>
    private interface IConsumer
    {
        /// <summary>Gets whether a handler receives the buffers. If so, the program holds no buffer after the handler has returned.</summary>
        static abstract bool IsPush { get; }

        /// <summary>Delivers one buffer on the fast path.</summary>
        static abstract void Deliver(RingTransfer transfer);

        /// <summary>Delivers all buffers that are ready, outside the fast path.</summary>
        static abstract void Consume(UsbInputRing ring);
    }

    /// <summary>Signals the code that reads the buffers.</summary>
    private readonly struct PullConsumer : IConsumer
    {
        public static bool IsPush => false;

        public static void Deliver(RingTransfer transfer) => throw new UnreachableException();

        public static void Consume(UsbInputRing ring) => ring._signal.Set();
    }

    /// <summary>Passes each buffer to a handler on the thread that handles events.</summary>
    private readonly struct PushConsumer<THandler> : IConsumer
        where THandler : struct, IUsbInputHandler
    {
        public static bool IsPush => true;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Deliver(RingTransfer transfer) => THandler.OnBuffer(new UsbInputBuffer(transfer));

        public static void Consume(UsbInputRing ring)
        {
            while (ring.TakeNext(RingTransferState.Handled) is { } transfer)
            {
                long loan = transfer.Loan;
                try
                {
                    THandler.OnBuffer(new UsbInputBuffer(transfer));
                }
                catch (Exception exception) // the stream continues
                {
                    ring.Handle.Context.ReportCallbackException(ring, exception);
                }

                ring.TakeBackFromHandler(transfer, loan);
            }
        }
    }

    private readonly struct CallbackHandler : IUsbInputHandler
    {
        public static void OnBuffer(UsbInputBuffer buffer) => buffer.Ring._callback!(buffer);
    }

    /// <summary>Represents the part of the engine that is specific to rings that read.</summary>
    private sealed class InputContent(UsbInputRing ring) : IRingContent
    {
        public bool StopsAtFailure => false;

        public RingTransfer? TakeNextLocked() => ring.Engine.Queue.TakeFree();

        public void Prepare(RingTransfer transfer)
        {
        }

        public void TakeRefusedLocked(RingTransfer transfer) => ring.Engine.Queue.PutFree(transfer);

        public void BeginLocked()
        {
        }

        public void EndLocked()
        {
        }

        public void Wake() => ring._signal.Set();
    }
}
