using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>
/// Represents one native transfer, which is used again and again: configure it, submit it, and submit it again in its callback. None of that allocates.
/// Created by <see cref="UsbEndpoint.CreateTransfer"/> and <see cref="UsbDeviceHandle.CreateTransfer"/>.
/// </summary>
/// <remarks>
/// <para>Every submission that succeeds has exactly one callback, also when it is cancelled, when the device is unplugged, and when the
/// transfer or its device handle is disposed in the meantime. The callback runs on the thread that handles the context's events
/// (<see cref="UsbContext.HandleEvents"/> or <see cref="UsbContext.StartEventThread"/>).</para>
/// <para>While it is submitted, the buffer and the results belong to libusb: reading them throws. A submitted transfer is kept alive by
/// the library, even when the program drops every reference to it.</para>
/// </remarks>
public sealed unsafe partial class UsbTransfer : IDisposable
{
    // ---- State -------------------------------------------------------------------------------------------------------------
    //
    //          Submit                 completion              callback returned
    //   Idle ----------> InFlight ------------------> Callback ----------------> Idle
    //    |                  ^                            | Submit, from the callback or from another thread
    //    | release          |    callback returned       v
    //    v                  +--------------------- Callback | InFlight
    //   Dead, then Dead | Freed
    //
    // While a thread configures it, at rest or in its callback, it is also Setting: it is neither submitted nor released in the meantime. It is
    // DoomedSetting when its
    // callback has returned in the meantime and it was doomed: the thread that configures it releases it.
    // While the transfer is InFlight and not in its callback only the completion writes _state, so that write is a plain one.
    // Everything that wants to stop the transfer sets a bit in _stop and leaves _state alone. The thread that brings the transfer back to
    // Idle looks at _stop afterwards, and the thread that moves it from Idle to Dead frees it: exactly one thread succeeds in that.
    private const int Idle = 0;
    private const int InFlight = 1;
    private const int InCallback = 2;
    private const int Setting = 4;
    private const int Dead = 8;
    private const int Freed = 16;
    private const int DoomedSetting = 32;

    // Reasons why it may not be submitted; 0 lets it go. UnConfigured, InterfaceClosed and SettingChanges are taken back: when it is configured, when the
    // interface is claimed again, and when its alternate setting has changed. Stale stays, as the endpoint that made the transfer stays stale; it does not keep
    // the transfer from being configured.
    private const int UnConfigured = 1;
    private const int Doomed = 2;
    private const int Disposed = 4;
    private const int HandleClosing = 8;
    private const int InterfaceClosed = 16;
    private const int SettingChanges = 32;
    private const int Stale = 64;

    // The thread that closes the handle or the interface waits for the transfer.
    private const int OwnerClosing = HandleClosing | InterfaceClosed;

    private libusb_transfer* _native;
    private int _state;
    private int _stop = UnConfigured;
    private delegate*<UsbTransfer, void> _dispatch = &Ignore;
    private Action<UsbTransfer>? _callback;

    // Given to libusb once, as user_data. Its target is this object while the transfer is submitted, so that a submitted transfer
    // is never collected, and nothing at other times, so that a forgotten one is.
    private GCHandle _root;

    private TransferBuffer _buffer;

    // The configuration and the outcome: the native transfer has the same, but another thread may be about to free it.
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

    // Held by threads that call libusb_cancel_transfer and by the thread that frees the native transfer. Never held while submitting or
    // in a callback.
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

        // Last: from here on a handle that closes may release it.
        bool registered = handle.TryRegister(this, out _registration);
        if (!registered || owner is { IsOpen: false }) // a claim that begins to close after this look finds it and disposes it
        {
            TryRelease();
            throw new ObjectDisposedException(registered ? nameof(UsbInterface) : nameof(UsbDeviceHandle));
        }
    }

    /// <summary>Frees a transfer that the program forgot. One in flight is rooted, so this never meets one.</summary>
    ~UsbTransfer() => TryRelease();

    /// <summary>Gets the device handle it was made by, which must be open to submit it.</summary>
    public UsbDeviceHandle Handle => _handle;

    /// <summary>Gets the claim whose endpoint made it, and which disposes it; null for a transfer that the handle made.</summary>
    internal UsbInterface? Owner { get; }

    /// <summary>Gets how many isochronous packets it has room for; 0 when it was not made for isochronous endpoints.</summary>
    public int IsoPacketCapacity { get; }

    /// <summary>
    /// Gets whether libusb has it: from a successful submission until just before the callback, and in the callback again once it is
    /// resubmitted. May be read from any thread.
    /// </summary>
    public bool IsSubmitted => (Volatile.Read(ref _state) & InFlight) != 0;

    /// <summary>
    /// Gets whether its native memory is freed, and it cannot be used any more. False while it is disposed but still in flight, or in its callback.
    /// </summary>
    public bool IsDisposed => (Volatile.Read(ref _state) & Freed) != 0;

    /// <summary>Gets whether <see cref="Doom"/> was called.</summary>
    public bool IsDoomed => (Volatile.Read(ref _stop) & Doomed) != 0;

    /// <summary>Gets or sets an object that the program wants to find again in the callback. May be changed at any time.</summary>
    public object? State { get; set; }

    /// <summary>
    /// Gets or sets the method that is called when the transfer ends. May be changed at any time; setting it replaces a handler set by <see cref="SetHandler{THandler}"/>
    /// or by function pointer. An exception from it goes to
    /// <see cref="UsbContext.UnhandledCallbackException"/>.
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

    /// <summary>Gets how the last packet is treated.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Set to a flag that <see cref="UsbTransferFlags"/> does not have.</exception>
    /// <exception cref="InvalidOperationException">Set while submitted, or <see cref="UsbTransferFlags.ShortIsError"/> for an isochronous transfer.</exception>
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

    /// <summary>Gets the transfer type that it is configured for; <see cref="UsbTransferType.Control"/> before that.</summary>
    public UsbTransferType Type
    {
        get
        {
            CheckNotDead();
            return _type;
        }
    }

    /// <summary>Gets the address of the endpoint, direction bit included; 0 before it is configured.</summary>
    public byte Endpoint
    {
        get
        {
            CheckNotDead();
            return _endpoint;
        }
    }

    /// <summary>
    /// Gets the time limit that the transfer was configured with, a multiple of 1 millisecond up to 24.8 days; null if there is none, which is what streams
    /// should have.
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

    /// <summary>Gets how the last submission ended. For isochronous transfers look at the packets too (<see cref="IterIso"/>).</summary>
    /// <exception cref="InvalidOperationException">It is submitted.</exception>
    public UsbTransferStatus Status
    {
        get
        {
            CheckAtRest();
            return _status;
        }
    }

    /// <summary>
    /// Bytes that moved, set-up packet not counted. It may be more than 0 with any status. Means nothing for isochronous transfers,
    /// whose packets have a length each.
    /// </summary>
    /// <exception cref="InvalidOperationException">It is submitted.</exception>
    public int ActualLength
    {
        get
        {
            CheckAtRest();
            return _actualLength;
        }
    }

    /// <summary>
    /// Gets the whole buffer (for control transfers: what follows the set-up packet). It is not zeroed between submissions. The span is valid until
    /// the transfer is configured, submitted or disposed: make sure that no other thread does that in the meantime.
    /// </summary>
    /// <exception cref="InvalidOperationException">It is submitted.</exception>
    public Span<byte> Buffer
    {
        get
        {
            CheckAtRest();
            return _buffer.From(_type == UsbTransferType.Control ? UsbControlSetup.Size : 0);
        }
    }

    /// <summary>Gets the data that moved: <see cref="Buffer"/> cut to <see cref="ActualLength"/>. For isochronous transfers use <see cref="IterIso"/>.</summary>
    /// <exception cref="InvalidOperationException">It is submitted, or it is isochronous.</exception>
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
    /// Gets the native transfer, for functions that the library does not offer. Do not free it, do not change its callback, its user data or its
    /// buffer, and touch nothing while it is submitted.
    /// </summary>
    public libusb_transfer* DangerousGetTransfer()
    {
        CheckNotDead();
        return _native;
    }

    /// <summary>Handles completions without a delegate; see <see cref="IUsbTransferHandler"/>. Replaces <see cref="Callback"/>.</summary>
    /// <typeparam name="THandler">A type, usually an empty struct, with the method to call.</typeparam>
    public void SetHandler<THandler>()
        where THandler : IUsbTransferHandler
    {
        _dispatch = &THandler.OnCompleted;
        _callback = null;
    }

    /// <summary>Handles completions by a function pointer: a static method, called with no indirection but this. Replaces <see cref="Callback"/>.</summary>
    /// <param name="handler">A static method. The program makes sure that its assembly is not unloaded.</param>
    /// <exception cref="ArgumentNullException"><paramref name="handler"/> is null.</exception>
    public void SetHandler(delegate*<UsbTransfer, void> handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        _dispatch = handler;
        _callback = null;
    }

    /// <summary>Refuses flags that are not ours: libusb has some that free what the library owns, with an allocator that is not the library's.</summary>
    internal static void CheckFlags(UsbTransferFlags flags, string parameter)
    {
        if ((flags & ~(UsbTransferFlags.ShortIsError | UsbTransferFlags.AddZeroPacket)) != 0)
            throw new ArgumentOutOfRangeException(parameter, flags, "There is no such flag.");
    }

    /// <summary>Gets the data of a control transfer, which has its set-up packet before it.</summary>
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

    /// <summary>Gets the native transfer for fields that do not change while it is submitted.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void CheckNotDead()
    {
        if ((_state & Dead) != 0)
            ThrowDisposed();
    }

    /// <summary>Gets the native transfer for fields that libusb writes.</summary>
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
