using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>
/// Represents one native transfer that can be submitted any number of times. The program configures the transfer, submits it, and submits it again in its
/// callback. None of these steps allocates managed memory. <see cref="UsbEndpoint.CreateTransfer"/> and <see cref="UsbDeviceHandle.CreateTransfer"/> create
/// transfers.
/// </summary>
/// <remarks>
/// <para>Every successful <see cref="Submit"/> leads to exactly one callback. The callback also runs if the program cancels or disposes the transfer, if the
/// program disposes the device handle, and if the device is unplugged. The callback runs on the thread that handles the context's events
/// (<see cref="UsbContext.HandleEvents"/> or <see cref="UsbContext.StartEventThread"/>).</para>
/// <para>While the transfer is submitted, its buffer and results belong to libusb, and the properties that return them throw an exception. The library keeps
/// a submitted transfer alive, even if the program drops every reference to it.</para>
/// </remarks>
public sealed unsafe partial class UsbTransfer : IDisposable
{
    // ---- State -------------------------------------------------------------------------------------------------------------
    //
    //          Submit                 completion              callback returned
    //   Idle ----------> InFlight -----------------> InCallback ---------------> Idle
    //    |                  ^                            | Submit, from the callback or from another thread
    //    | release          |    callback returned       v
    //    v                  +------------------- InCallback | InFlight
    //   Dead, then Dead | Freed
    //
    // A thread that configures the transfer adds Setting to the state Idle or InCallback. Until that thread clears Setting, no thread submits or releases the
    // transfer. The callback of a doomed transfer may return while Setting is still set. The thread of the callback then sets DoomedSetting, and the
    // configuring thread releases the transfer after it has cleared Setting. While libusb has the transfer and InCallback is not set, only the code that
    // completes the transfer writes _state, so this code needs no interlocked operation. A thread that stops the transfer sets a bit in _stop and leaves _state
    // unchanged. The thread that sets _state back to Idle then reads _stop. The thread that changes _state from Idle to Dead frees the transfer. Only one
    // thread can make this change.
    private const int Idle = 0;
    private const int InFlight = 1;
    private const int InCallback = 2;
    private const int Setting = 4;
    private const int Dead = 8;
    private const int Freed = 16;
    private const int DoomedSetting = 32;

    // These bits of _stop are reasons why the transfer may not be submitted. If no bit is set, the transfer may be submitted. Three bits can be cleared. A
    // method that configures the transfer clears UnConfigured. FollowClaims clears InterfaceClosed when the interface is claimed again, and clears
    // SettingChanges when the change of the alternate setting has ended. The other bits stay set. Stale stays set, because the endpoint that created the
    // transfer stays stale. A stale transfer can still be configured.
    private const int UnConfigured = 1;
    private const int Doomed = 2;
    private const int Disposed = 4;
    private const int HandleClosing = 8;
    private const int InterfaceClosed = 16;
    private const int SettingChanges = 32;
    private const int Stale = 64;

    // If one of these reasons is set, the thread that closes the handle or the interface waits for the transfer.
    private const int OwnerClosing = HandleClosing | InterfaceClosed;

    private libusb_transfer* _native;
    private int _state;
    private int _stop = UnConfigured;
    private delegate*<UsbTransfer, void> _dispatch = &Ignore;
    private Action<UsbTransfer>? _callback;

    // The constructor passes this handle to libusb as user_data. While the transfer is submitted, the target of the handle is this object, so the garbage
    // collector does not collect the transfer. At other times the target is null, so the garbage collector can collect a transfer that the program has dropped.
    private GCHandle _root;

    private TransferBuffer _buffer;

    // These fields contain copies of the configuration and the outcome, so that properties can read the copies while another thread frees the native transfer.
    private UsbTransferFlags _flags;
    private UsbTransferType _type;
    private byte _endpoint;
    private uint _milliseconds;
    private int _streamId;
    private int _isoPacketCount;
    private UsbTransferStatus _status;
    private int _actualLength;

    private readonly UsbDeviceHandle _handle;
    private readonly LinkedListNode<WeakReference<UsbTransfer>>? _registration;

    // A thread holds this lock while it frees or cancels the native transfer. A thread that reads the native transfer also holds this lock if another thread
    // can free the native transfer at that time. No thread holds this lock while it submits the transfer or runs the callback.
    private readonly Lock _freeing = new();

    internal UsbTransfer(UsbDeviceHandle handle, int isoPackets, UsbTransferFlags flags, UsbInterface? owner = null)
    {
        _handle = handle;
        Owner = owner;
        IsoPacketCapacity = isoPackets;
        _native = libusb.libusb_alloc_transfer(isoPackets);
        if (_native is null)
        {
            GC.SuppressFinalize(this);
            UsbException.Throw(UsbError.NoMemory, "make another transfer");
        }

        _root = UserDataHandle.Allocate(null, GCHandleType.Normal);
        _native->user_data = (void*)GCHandle.ToIntPtr(_root);
        _native->callback = &OnCompleted;
        _native->flags = (byte)(_flags = flags); // checked by CreateTransfer

        // The registration comes last, because a closing handle may release the transfer from here on.
        bool registered = handle.TryRegister(this, out _registration);
        if (!registered || owner is { IsOpen: false }) // a claim that begins to close after this check disposes the transfer
        {
            TryRelease();
            throw new ObjectDisposedException(registered ? nameof(UsbInterface) : nameof(UsbDeviceHandle));
        }
    }

    /// <summary>Frees a transfer that the program dropped without disposing it. A transfer in flight is rooted, so its finalizer does not run.</summary>
    ~UsbTransfer() => TryRelease();

    /// <summary>Gets the device handle that created the transfer. The handle must be open when the transfer is submitted.</summary>
    public UsbDeviceHandle Handle => _handle;

    /// <summary>
    /// Gets the claim whose endpoint created the transfer; null if the device handle created the transfer. When the claim closes, it disposes the transfer.
    /// </summary>
    internal UsbInterface? Owner { get; }

    /// <summary>Gets the number of isochronous packets that fit into the transfer; 0 if the transfer was not created for isochronous endpoints.</summary>
    public int IsoPacketCapacity { get; }

    /// <summary>
    /// Gets whether the transfer is submitted. The property is true from a successful submission until just before the callback, and again after a submission
    /// in the callback. Any thread may read this property.
    /// </summary>
    public bool IsSubmitted => (Volatile.Read(ref _state) & InFlight) != 0;

    /// <summary>
    /// Gets whether the transfer's native memory is freed. Such a transfer can no longer be used. The property is false while a disposed transfer is still in
    /// flight or in its callback.
    /// </summary>
    public bool IsDisposed => (Volatile.Read(ref _state) & Freed) != 0;

    /// <summary>Gets whether <see cref="Doom"/> was called.</summary>
    public bool IsDoomed => (Volatile.Read(ref _stop) & Doomed) != 0;

    /// <summary>Gets or sets an object that the program can use in the callback. The property may be changed at any time.</summary>
    public object? State { get; set; }

    /// <summary>
    /// Gets or sets the method that is called when the transfer ends. The property may be changed at any time. Setting the property replaces a handler that a
    /// <c>SetHandler</c> method has set. An exception that the callback throws is passed to <see cref="UsbContext.UnhandledCallbackException"/>.
    /// </summary>
    public Action<UsbTransfer>? Callback
    {
        get => _callback;
        set
        {
            _callback = value;
            _dispatch = value is null ? &Ignore : &InvokeCallback;
        }
    }

    /// <summary>Gets or sets the flags that specify how the transfer treats its last packet.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The new value contains a flag that <see cref="UsbTransferFlags"/> does not have.</exception>
    /// <exception cref="InvalidOperationException">
    /// The transfer is submitted. The property also throws this exception if the transfer is isochronous and the new value contains
    /// <see cref="UsbTransferFlags.ShortIsError"/>.
    /// </exception>
    public UsbTransferFlags Flags
    {
        get
        {
            CheckAtRest();
            return _flags;
        }

        set
        {
            CheckFlags(value, nameof(value));
            using var setting = new SettingScope(this);
            if (setting.IsRefused)
                return;
            if ((value & UsbTransferFlags.ShortIsError) != 0 && _type == UsbTransferType.Isochronous)
                ThrowShortIsochronous();
            _flags = value;
            _native->flags = (byte)_flags;
        }
    }

    /// <summary>Gets the type for which the transfer is configured; <see cref="UsbTransferType.Control"/> before the transfer is configured.</summary>
    public UsbTransferType Type
    {
        get
        {
            CheckNotDead();
            return _type;
        }
    }

    /// <summary>Gets the address of the endpoint, including the direction bit; 0 before the transfer is configured.</summary>
    public byte Endpoint
    {
        get
        {
            CheckNotDead();
            return _endpoint;
        }
    }

    /// <summary>
    /// Gets the time limit of the transfer; null if the transfer has no time limit. A time limit is a whole number of milliseconds, and is at most 24.8 days.
    /// The transfers of a continuous stream of data should have no time limit.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The transfer is disposed.</exception>
    public TimeSpan? Timeout
    {
        get
        {
            CheckNotDead();
            return _milliseconds == 0 ? null : TimeSpan.FromMilliseconds(_milliseconds);
        }
    }

    /// <summary>
    /// Gets the status with which the last submission ended. Each packet of an isochronous transfer has its own status (<see cref="IterIso"/>).
    /// </summary>
    /// <exception cref="InvalidOperationException">The transfer is submitted.</exception>
    public UsbTransferStatus Status
    {
        get
        {
            CheckAtRest();
            return _status;
        }
    }

    /// <summary>
    /// Gets the number of bytes that were transferred. The set-up packet of a control transfer does not count. The number can be greater than 0 even if the
    /// transfer failed. The property has no meaning for isochronous transfers, because each of their packets has its own length.
    /// </summary>
    /// <exception cref="InvalidOperationException">The transfer is submitted.</exception>
    public int ActualLength
    {
        get
        {
            CheckAtRest();
            return _actualLength;
        }
    }

    /// <summary>
    /// Gets the part of the buffer that is for data. For a control transfer, this is the part after the set-up packet. For other transfers, this is the whole
    /// buffer. The library does not clear the buffer between submissions. The span is valid until the transfer is configured, submitted or disposed. The
    /// program must ensure that no other thread configures, submits or disposes the transfer while the program uses the span.
    /// </summary>
    /// <exception cref="InvalidOperationException">The transfer is submitted.</exception>
    public Span<byte> Buffer
    {
        get
        {
            CheckAtRest();
            return _buffer.From(_type == UsbTransferType.Control ? UsbControlSetup.Size : 0);
        }
    }

    /// <summary>
    /// Gets the transferred data: the first <see cref="ActualLength"/> bytes of <see cref="Buffer"/>. For isochronous transfers use <see cref="IterIso"/>.
    /// </summary>
    /// <exception cref="InvalidOperationException">The transfer is submitted, or it is isochronous.</exception>
    public ReadOnlySpan<byte> Data
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            CheckAtRest();
            if (_type is UsbTransferType.Isochronous or UsbTransferType.Control)
                return OtherData();
            return new ReadOnlySpan<byte>(_buffer.Pointer, Math.Min(_actualLength, _buffer.Length));
        }
    }

    /// <summary>
    /// Gets the native transfer, for functions of libusb that the facade does not offer. Do not free the native transfer, and do not change its callback, its
    /// user data or its buffer. While the transfer is submitted, do not change any of its fields.
    /// </summary>
    public libusb_transfer* DangerousGetTransfer()
    {
        CheckNotDead();
        return _native;
    }

    /// <summary>
    /// Sets a type whose static method is called when the transfer ends (see <see cref="IUsbTransferHandler"/>). The static method replaces
    /// <see cref="Callback"/>.
    /// </summary>
    /// <typeparam name="THandler">A type, usually an empty struct, that has the static method.</typeparam>
    public void SetHandler<THandler>()
        where THandler : IUsbTransferHandler
    {
        _dispatch = &THandler.OnCompleted;
        _callback = null;
    }

    /// <summary>
    /// Sets a function pointer that is called when the transfer ends. The program does not need a delegate. The function replaces <see cref="Callback"/>.
    /// </summary>
    /// <param name="handler">A pointer to a static method. The program must ensure that the method's assembly is not unloaded.</param>
    /// <exception cref="ArgumentNullException"><paramref name="handler"/> is null.</exception>
    public void SetHandler(delegate*<UsbTransfer, void> handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        _dispatch = handler;
        _callback = null;
    }

    /// <summary>
    /// Throws an exception if a flag is not defined in <see cref="UsbTransferFlags"/>. libusb has further flags, which would make libusb free the buffer or the
    /// transfer. The library refuses these flags, because the library frees both objects itself.
    /// </summary>
    internal static void CheckFlags(UsbTransferFlags flags, string parameter)
    {
        if ((flags & ~(UsbTransferFlags.ShortIsError | UsbTransferFlags.AddZeroPacket)) != 0)
            throw new ArgumentOutOfRangeException(parameter, flags, "There is no such flag.");
    }

    /// <summary>Gets the data of a control transfer, which follows the set-up packet in the buffer.</summary>
    private ReadOnlySpan<byte> OtherData()
    {
        if (_type == UsbTransferType.Isochronous)
            throw new InvalidOperationException("The data of an isochronous transfer is in its packets: use IterIso.");
        Span<byte> buffer = Buffer;
        return buffer[..Math.Min(_actualLength, buffer.Length)];
    }

    private static void Ignore(UsbTransfer transfer)
    {
    }

    private static void InvokeCallback(UsbTransfer transfer) => transfer._callback?.Invoke(transfer);

    /// <summary>Throws an exception if the transfer is released. This check is for members that may be used while the transfer is submitted.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void CheckNotDead()
    {
        if ((_state & Dead) != 0)
            ThrowDisposed();
    }

    /// <summary>
    /// Throws an exception if the transfer is submitted or released. A member calls this method before it accesses a field that libusb may be writing.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void CheckAtRest()
    {
        if ((_state & (InFlight | Dead)) != 0)
            ThrowNotAtRest();
    }

    [DoesNotReturn]
    private void ThrowNotAtRest()
    {
        CheckNotDead();
        throw new InvalidOperationException((_state & Setting) != 0
            ? "Another thread configures the transfer."
            : "The transfer is submitted: its buffer, results and settings belong to libusb until its callback.");
    }

    [DoesNotReturn]
    private static void ThrowStopped(int stop)
    {
        if ((stop & Disposed) != 0)
            ThrowDisposed();
        if ((stop & HandleClosing) != 0)
            throw new ObjectDisposedException(nameof(UsbDeviceHandle));
        if ((stop & Doomed) != 0)
            throw new UsbTransferDoomedException();
        if ((stop & UnConfigured) != 0)
            throw new InvalidOperationException("The transfer was never configured: call SetControl, SetBulk, SetInterrupt or SetIsochronous first.");
        throw (stop & InterfaceClosed) != 0
            ? new ObjectDisposedException(nameof(UsbInterface), "The interface of the transfer's endpoint was disposed: claim it again.")
            : new InvalidOperationException("The alternate setting of the interface of the transfer's endpoint is being changed.");
    }

    [DoesNotReturn]
    private static void ThrowDisposed() => throw new ObjectDisposedException(nameof(UsbTransfer));
}
