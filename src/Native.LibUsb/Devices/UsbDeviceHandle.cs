using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>
/// An open device: interfaces are claimed, data is moved, and settings are changed through it. Made by <see cref="UsbDevice.Open()"/>.
/// </summary>
/// <remarks>All members may be used from any thread. Members that talk to the device and wait must not be called from a callback.</remarks>
public sealed unsafe partial class UsbDeviceHandle : IDisposable, IAsyncDisposable
{
    // How long a closing handle waits before it asks again to cancel: a request that came before its submission was lost, and some
    // systems need a second one.
    private static readonly TimeSpan s_cancelAgain = TimeSpan.FromMilliseconds(20);

    private readonly OpenHandle _native;
    private readonly LinkedListNode<WeakReference<UsbDeviceHandle>>? _registration;
    private readonly ChildSet<UsbTransfer> _transfers = new();

    // Pulsed each time a transfer of a closing handle comes to rest, and when it is closed.
    private readonly object _rest = new();
    private bool _finishing;
    private bool _closed;

    internal UsbDeviceHandle(UsbContext context, OpenHandle native, bool isWrapped = false)
    {
        Context = context;
        _native = native;
        UsbDevice? device = null;
        try
        {
            Device = device = new UsbDevice(context, libusb.libusb_get_device(native.Pointer), isWrapped);
            if (!context.Handles.TryAdd(this, out _registration))
                throw new ObjectDisposedException(nameof(UsbContext));
        }
        catch
        {
            device?.Dispose();
            native.Dispose();
            throw;
        }
    }

    /// <summary>The context it belongs to.</summary>
    public UsbContext Context { get; }

    /// <summary>The device; it is disposed with the handle.</summary>
    public UsbDevice Device { get; }

    /// <summary>
    /// The native handle, for what the library does not offer. It is valid until this object is disposed; do not call <c>libusb_close</c>, and
    /// have no transfer of your own in flight then.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public libusb_device_handle* DangerousGetHandle()
    {
        ObjectDisposedException.ThrowIf(_transfers.IsClosed, this);
        return _native.Pointer;
    }

    /// <summary>Whether it is closed, and nothing is in flight.</summary>
    internal bool IsClosed => Volatile.Read(ref _closed);

    /// <summary>The native handle, for transfers: they keep it open while they are in flight.</summary>
    internal libusb_device_handle* NativeHandle => _native.Pointer;

    /// <summary>
    /// Reads the device's binary object store (<c>libusb_get_bos_descriptor</c>): its device capabilities.
    /// </summary>
    /// <returns>The capabilities; null when the device has none, as most below USB 2.1.</returns>
    /// <exception cref="UsbException">The device did not answer: <see cref="UsbError.NoDevice"/>, <see cref="UsbError.IO"/>.</exception>
    /// <exception cref="InvalidOperationException">Called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public UsbBosDescriptor? GetBosDescriptor()
    {
        const string operation = "read the binary object store";
        libusb_bos_descriptor* bos;
        int result;
        using HandleLease lease = Lease();
        using (Context.EnterSynchronous(operation))
            result = libusb.libusb_get_bos_descriptor(_native.Pointer, &bos);
        Context.RunDeferred();
        if (result is (int)UsbError.Pipe or (int)UsbError.NotFound)
            return null;
        UsbException.ThrowIfError(result, operation);
        return new UsbBosDescriptor(bos);
    }

    /// <summary>Makes a transfer, which the caller disposes; one that is forgotten is disposed with the handle.</summary>
    /// <param name="isoPackets">How many isochronous packets it has room for; 0 for other transfers.</param>
    /// <param name="flags">How its last packet is treated.</param>
    /// <returns>A transfer to be configured.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The number of packets is negative, or there is no such flag.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public UsbTransfer CreateTransfer(int isoPackets = 0, UsbTransferFlags flags = UsbTransferFlags.None)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(isoPackets);
        UsbTransfer.CheckFlags(flags, nameof(flags));
        ObjectDisposedException.ThrowIf(_transfers.IsClosed, this);
        return new UsbTransfer(this, isoPackets, flags);
    }

    /// <summary>
    /// Closes the device (<c>libusb_close</c>): refuses further submissions, cancels every transfer in flight, waits until all their
    /// callbacks have returned (handling events itself unless an event thread does), frees the transfers, releases the interfaces, and
    /// closes. From a callback of the context it only begins, and the rest happens right after the call that handles the events; it never
    /// waits there. May be called more than once.
    /// </summary>
    /// <remarks>
    /// <para>A callback that does not return, or that waits for the thread that disposes, is waited for for ever.</para>
    /// <para>A synchronous transfer of another thread is not waited for. On Linux it ends because its interface is released, and throws; a request
    /// that the device does not answer keeps the device open until its time limit, or until the device is unplugged.</para>
    /// </remarks>
    /// <exception cref="InvalidOperationException">Called from a log handler.</exception>
    public void Dispose()
    {
        if (!BeginClosing())
            return;
        if (CallbackScope.IsInside(Context))
            Context.Defer(FinishClosing);
        else
            FinishClosing();
    }

    /// <summary>
    /// As <see cref="Dispose"/>, but the waiting is done on the thread pool. May be awaited by code that goes on inside a callback
    /// (<see cref="UsbTransfer.ContinueOnEventThread"/>), and by any number of callers.
    /// </summary>
    /// <returns>Ends when the device is closed.</returns>
    public ValueTask DisposeAsync()
    {
        BeginClosing();
        return Volatile.Read(ref _closed) ? ValueTask.CompletedTask : new ValueTask(Task.Run(FinishClosing));
    }

    /// <summary>The part of closing that does not wait: no submission from here on, and what is in flight is cancelled.</summary>
    /// <returns>Whether this call began it, so that the caller has to finish it.</returns>
    internal bool BeginClosing()
    {
        LogScope.ThrowIfInside();
        if (!_transfers.Close())
            return false;
        foreach (UsbTransfer transfer in _transfers.Snapshot())
            transfer.StopForClosingHandle();
        StopEndpointUsers();
        return true;
    }

    /// <summary>Takes over a reference on the file that it was made of.</summary>
    internal void KeepOpen(SafeHandle file) => _native.KeepOpen(file);

    internal bool TryRegister(UsbTransfer transfer, [NotNullWhen(true)] out LinkedListNode<WeakReference<UsbTransfer>>? registration) =>
        _transfers.TryAdd(transfer, out registration);

    internal void Unregister(LinkedListNode<WeakReference<UsbTransfer>>? transfer) => _transfers.Remove(transfer);

    /// <summary>A transfer of this closing handle is at rest. Called by the thread that ran its callback.</summary>
    internal void TransferCameToRest()
    {
        lock (_rest)
            Monitor.PulseAll(_rest);
    }

    /// <summary>The part of closing that waits. The first caller does it, and others wait until it is done: a context is disposed after its handles.</summary>
    internal void FinishClosing()
    {
        if (Interlocked.Exchange(ref _finishing, true))
        {
            while (!Volatile.Read(ref _closed))
            {
                try
                {
                    WaitForRest(static handle => !Volatile.Read(ref handle._closed));
                }
                catch (ObjectDisposedException) when (Volatile.Read(ref _closed))
                {
                    // closed at this very moment, and the context with it
                }
            }

            return;
        }

        try
        {
            CloseAtRest();
        }
        finally
        {
            lock (_rest)
            {
                _closed = true;
                Monitor.PulseAll(_rest);
            }
        }

        Context.RunDeferred();
    }

    private void CloseAtRest()
    {
        List<UsbTransfer> transfers = _transfers.Snapshot();
        while (!transfers.TrueForAll(transfer => transfer.TryRelease()))
        {
            int result = WaitForRest(static handle => handle._transfers.Snapshot().Exists(transfer => transfer.IsBusy));
            if (result < 0)
            {
                // Their callbacks will never run. To free or to close now would be use after free: what is left stays, and somebody is told.
                Context.ReportCallbackException(this, new UsbException((UsbError)result, "wait for the transfers of a closing device"));
                return;
            }

            foreach (UsbTransfer transfer in transfers)
                transfer.CancelAgain();
        }

        FreeAllDeviceMemory();
        ReleaseAllClaims();
        Device.Dispose();
        _native.Dispose();
        Context.Handles.Remove(_registration);
    }

    /// <summary>Waits a moment for something to happen, handling events itself unless an event thread does.</summary>
    private int WaitForRest(Predicate<UsbDeviceHandle> isWaiting)
    {
        if (!Context.IsPumpedElsewhere)
        {
            var wait = new timeval(s_cancelAgain);
            return Context.Pump(&wait, null); // callbacks run here; their exceptions come out of the next call that handles events
        }

        lock (_rest)
        {
            if (isWaiting(this))
                Monitor.Wait(_rest, s_cancelAgain);
        }

        return 0;
    }
}
