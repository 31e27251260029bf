using System.Buffers;
using System.Buffers.Binary;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

// This file contains the methods that configure a transfer. Each method checks all its arguments before it changes anything, so a call that throws leaves the
// transfer unchanged. If the callback or state argument is null, the method keeps the current value. A callback may call these methods even after the program
// has closed the interface or handle of the transfer. If the close has already freed the transfer, the methods do nothing.
public sealed unsafe partial class UsbTransfer
{
    /// <summary>
    /// Configures a control transfer with a data stage of <paramref name="length"/> bytes. The transfer owns the memory for the data. If the request sends data
    /// to the device, write the data into <see cref="Buffer"/> before submitting the transfer.
    /// </summary>
    /// <param name="setup">The request. Its direction bit determines the direction of the data.</param>
    /// <param name="length">The number of bytes of data, 0 to 65,535. Operating systems allow fewer bytes: Linux and Windows allow 4,096 bytes.</param>
    /// <param name="callback">The new value of <see cref="Callback"/>. Null keeps the current value.</param>
    /// <param name="state">The new value of <see cref="State"/>. Null keeps the current value.</param>
    /// <param name="timeout">The time limit, 1 millisecond to 24.8 days. Null and <see cref="System.Threading.Timeout.InfiniteTimeSpan"/> set no limit.</param>
    /// <exception cref="ArgumentOutOfRangeException">The length or the timeout is out of range.</exception>
    /// <exception cref="InvalidOperationException">The transfer is submitted.</exception>
    /// <exception cref="UsbTransferDoomedException">The transfer is doomed.</exception>
    public void SetControl(in UsbControlSetup setup, int length, Action<UsbTransfer>? callback = null, object? state = null, TimeSpan? timeout = null)
    {
        uint milliseconds = TransferTimeout.ToMilliseconds(timeout);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, ushort.MaxValue);
        MemoryHandle before = default;
        using var unpin = new UnpinScope(ref before);
        using var setting = new SettingScope(this);
        if (setting.IsRefused)
            return;
        UseOwnedControl(setup, length, milliseconds, callback, state, ref before);
    }

    /// <summary>Configures a control transfer that sends a copy of <paramref name="data"/>.</summary>
    /// <param name="setup">The request. Its direction must be from the host to the device.</param>
    /// <param name="data">The data to send, at most 65,535 bytes.</param>
    /// <param name="callback">The new value of <see cref="Callback"/>. Null keeps the current value.</param>
    /// <param name="state">The new value of <see cref="State"/>. Null keeps the current value.</param>
    /// <param name="timeout">The time limit, 1 millisecond to 24.8 days. Null and <see cref="System.Threading.Timeout.InfiniteTimeSpan"/> set no limit.</param>
    /// <exception cref="ArgumentException">The request reads from the device.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The length or the timeout is out of range.</exception>
    /// <exception cref="InvalidOperationException">The transfer is submitted.</exception>
    /// <exception cref="UsbTransferDoomedException">The transfer is doomed.</exception>
    public void SetControlCopy(in UsbControlSetup setup, ReadOnlySpan<byte> data, Action<UsbTransfer>? callback = null, object? state = null, TimeSpan? timeout = null)
    {
        if (setup.IsIn && data.Length > 0)
            throw new ArgumentException("The request reads from the device: give the length of the answer, not data to send.", nameof(data));
        uint milliseconds = TransferTimeout.ToMilliseconds(timeout);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(data.Length, ushort.MaxValue, nameof(data));
        MemoryHandle before = default;
        using var unpin = new UnpinScope(ref before);
        using var setting = new SettingScope(this);
        if (setting.IsRefused)
            return;
        UseOwnedControl(setup, data.Length, milliseconds, callback, state, ref before);
        data.CopyTo(_buffer.From(UsbControlSetup.Size));
    }

    /// <summary>
    /// Configures a control transfer that uses the caller's memory. The memory stays pinned until the transfer is configured again or disposed. The method
    /// writes the set-up packet into the first <see cref="UsbControlSetup.Size"/> bytes, and the data stage uses the remaining bytes.
    /// </summary>
    /// <param name="setup">The request.</param>
    /// <param name="buffer">Memory of 8 to 65,543 bytes: eight bytes for the set-up packet, and then the data.</param>
    /// <param name="callback">The new value of <see cref="Callback"/>. Null keeps the current value.</param>
    /// <param name="state">The new value of <see cref="State"/>. Null keeps the current value.</param>
    /// <param name="timeout">The time limit, 1 millisecond to 24.8 days. Null and <see cref="System.Threading.Timeout.InfiniteTimeSpan"/> set no limit.</param>
    /// <exception cref="ArgumentException">The buffer is too short for the set-up packet, or is too long.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The timeout is out of range.</exception>
    /// <exception cref="InvalidOperationException">The transfer is submitted.</exception>
    /// <exception cref="UsbTransferDoomedException">The transfer is doomed.</exception>
    public void SetControlPinned(in UsbControlSetup setup, Memory<byte> buffer, Action<UsbTransfer>? callback = null, object? state = null, TimeSpan? timeout = null)
    {
        uint milliseconds = TransferTimeout.ToMilliseconds(timeout);
        int length = buffer.Length - UsbControlSetup.Size;
        if (length is < 0 or > ushort.MaxValue)
            throw new ArgumentException($"A control buffer has 8 bytes for the set-up packet and 0 to 65,535 bytes of data, not {buffer.Length} in all.", nameof(buffer));
        MemoryHandle pin = buffer.Pin();
        using var unpin = new UnpinScope(ref pin);
        using var setting = new SettingScope(this);
        if (setting.IsRefused)
            return;
        _buffer.UsePinned(ref pin, buffer.Length);
        Configure(UsbTransferType.Control, 0, milliseconds, callback, state);
        WriteSetup(setup, (ushort)length);
    }

    /// <summary>
    /// Configures a bulk transfer of <paramref name="length"/> bytes. The transfer owns the memory for the data. For an OUT endpoint, write the data into
    /// <see cref="Buffer"/> before submitting the transfer.
    /// </summary>
    /// <param name="endpoint">The endpoint's address, including the direction bit. For example, 0x81 is IN endpoint 1.</param>
    /// <param name="length">
    /// The number of bytes. For an IN endpoint, use a multiple of the packet size. Otherwise, the transfer overflows if the device sends more bytes than
    /// requested.
    /// </param>
    /// <param name="callback">The new value of <see cref="Callback"/>. Null keeps the current value.</param>
    /// <param name="state">The new value of <see cref="State"/>. Null keeps the current value.</param>
    /// <param name="timeout">
    /// The time limit, 1 millisecond to 24.8 days. Null and <see cref="System.Threading.Timeout.InfiniteTimeSpan"/> set no limit. The transfers of a
    /// continuous stream need no time limit.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">The address, the length or the timeout is out of range.</exception>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.NotSupported"/>: on Linux, a controller without scatter-gather cannot read more than 16,384 bytes in one transfer.
    /// </exception>
    /// <exception cref="InvalidOperationException">The transfer is submitted.</exception>
    /// <exception cref="UsbTransferDoomedException">The transfer is doomed.</exception>
    public void SetBulk(byte endpoint, int length, Action<UsbTransfer>? callback = null, object? state = null, TimeSpan? timeout = null) =>
        SetSimple(UsbTransferType.Bulk, endpoint, length, callback, state, timeout);

    /// <summary>Configures a bulk transfer that sends a copy of <paramref name="data"/>.</summary>
    /// <inheritdoc cref="SetBulk"/>
    /// <param name="endpoint">The address of an OUT endpoint, for example 0x01.</param>
    /// <param name="data">The data to send.</param>
    /// <param name="callback">The new value of <see cref="Callback"/>. Null keeps the current value.</param>
    /// <param name="state">The new value of <see cref="State"/>. Null keeps the current value.</param>
    /// <param name="timeout">The time limit, 1 millisecond to 24.8 days. Null and <see cref="System.Threading.Timeout.InfiniteTimeSpan"/> set no limit.</param>
    /// <exception cref="ArgumentException">The endpoint is an IN endpoint.</exception>
    public void SetBulkCopy(byte endpoint, ReadOnlySpan<byte> data, Action<UsbTransfer>? callback = null, object? state = null, TimeSpan? timeout = null) =>
        SetSimple(UsbTransferType.Bulk, endpoint, data, callback, state, timeout);

    /// <summary>Configures a bulk transfer that uses the caller's memory. The memory stays pinned until the transfer is configured again or disposed.</summary>
    /// <inheritdoc cref="SetBulk"/>
    /// <param name="endpoint">The endpoint's address, including the direction bit.</param>
    /// <param name="buffer">The memory that the transfer reads or writes directly, without a copy.</param>
    /// <param name="callback">The new value of <see cref="Callback"/>. Null keeps the current value.</param>
    /// <param name="state">The new value of <see cref="State"/>. Null keeps the current value.</param>
    /// <param name="timeout">The time limit, 1 millisecond to 24.8 days. Null and <see cref="System.Threading.Timeout.InfiniteTimeSpan"/> set no limit.</param>
    public void SetBulkPinned(byte endpoint, Memory<byte> buffer, Action<UsbTransfer>? callback = null, object? state = null, TimeSpan? timeout = null) =>
        SetSimple(UsbTransferType.Bulk, endpoint, buffer, callback, state, timeout);

    /// <summary>
    /// Configures an interrupt transfer of <paramref name="length"/> bytes. The transfer owns the memory for the data. For an OUT endpoint, write the data into
    /// <see cref="Buffer"/> before submitting the transfer.
    /// </summary>
    /// <inheritdoc cref="SetBulk"/>
    public void SetInterrupt(byte endpoint, int length, Action<UsbTransfer>? callback = null, object? state = null, TimeSpan? timeout = null) =>
        SetSimple(UsbTransferType.Interrupt, endpoint, length, callback, state, timeout);

    /// <summary>Configures an interrupt transfer that sends a copy of <paramref name="data"/>.</summary>
    /// <inheritdoc cref="SetBulkCopy"/>
    public void SetInterruptCopy(byte endpoint, ReadOnlySpan<byte> data, Action<UsbTransfer>? callback = null, object? state = null, TimeSpan? timeout = null) =>
        SetSimple(UsbTransferType.Interrupt, endpoint, data, callback, state, timeout);

    /// <summary>
    /// Configures an interrupt transfer that uses the caller's memory. The memory stays pinned until the transfer is configured again or disposed.
    /// </summary>
    /// <inheritdoc cref="SetBulkPinned"/>
    public void SetInterruptPinned(byte endpoint, Memory<byte> buffer, Action<UsbTransfer>? callback = null, object? state = null, TimeSpan? timeout = null) =>
        SetSimple(UsbTransferType.Interrupt, endpoint, buffer, callback, state, timeout);

    /// <summary>
    /// Replaces the buffer of a configured transfer with the caller's memory. The memory stays pinned until the transfer is configured again or disposed. The
    /// rest of the configuration does not change. For an isochronous transfer, the new buffer must have the same size as the old buffer.
    /// </summary>
    /// <param name="buffer">The memory that the transfer reads or writes.</param>
    /// <exception cref="InvalidOperationException">
    /// The transfer is in flight, was never configured, or is a control transfer. For a control transfer, use SetControl.
    /// </exception>
    /// <exception cref="ArgumentException">The size of an isochronous transfer's buffer would change. Use SetIsochronous instead.</exception>
    /// <exception cref="UsbTransferDoomedException">The transfer is doomed.</exception>
    public void SetBufferPinned(Memory<byte> buffer)
    {
        MemoryHandle pin = buffer.Pin();
        using var unpin = new UnpinScope(ref pin);
        using var setting = new SettingScope(this);
        if (setting.IsRefused)
            return;
        CheckBufferReplaceable(buffer.Length, nameof(buffer));
        _buffer.UsePinned(ref pin, buffer.Length);
        UseBuffer();
    }

    /// <summary>Replaces the buffer of a configured transfer with zeroed memory that the transfer owns; see <see cref="SetBufferPinned"/>.</summary>
    /// <param name="length">The number of bytes.</param>
    /// <exception cref="ArgumentOutOfRangeException">The length is negative.</exception>
    /// <exception cref="InvalidOperationException">
    /// The transfer is submitted, was never configured, or is a control transfer. For a control transfer, use SetControl.
    /// </exception>
    /// <exception cref="ArgumentException">The size of an isochronous transfer's buffer would change. Use SetIsochronous instead.</exception>
    /// <exception cref="UsbTransferDoomedException">The transfer is doomed.</exception>
    public void SetBuffer(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        MemoryHandle before = default;
        using var unpin = new UnpinScope(ref before);
        using var setting = new SettingScope(this);
        if (setting.IsRefused)
            return;
        CheckBufferReplaceable(length, nameof(length));
        _buffer.UseOwned(length, ref before);
        UseBuffer();
    }

    private void CheckBufferReplaceable(int length, string parameter)
    {
        if ((Volatile.Read(ref _stop) & UnConfigured) != 0)
            throw new InvalidOperationException("The transfer was never configured: call SetBulk, SetInterrupt or SetIsochronous.");
        if (_type == UsbTransferType.Control)
            throw new InvalidOperationException("The buffer of a control transfer holds its request: call SetControl.");
        if (_type == UsbTransferType.Isochronous && length != _buffer.Length)
            throw new ArgumentException($"The packets of the transfer fill {_buffer.Length} bytes, not {length}: call SetIsochronous.", parameter);
        if (_type != UsbTransferType.Isochronous)
            _handle.CheckRead(_endpoint, length);
    }

    private void UseBuffer()
    {
        _native->buffer = _buffer.Pointer;
        _native->length = _buffer.Length;
        _native->actual_length = _actualLength = 0;
    }

    private void SetSimple(
        UsbTransferType type, byte endpoint, int length, Action<UsbTransfer>? callback, object? state, TimeSpan? timeout, int streamId = 0)
    {
        UsbEndpointAddress.Check(endpoint, nameof(endpoint));
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        uint milliseconds = TransferTimeout.ToMilliseconds(timeout);
        MemoryHandle before = default;
        using var unpin = new UnpinScope(ref before);
        using var setting = new SettingScope(this);
        if (setting.IsRefused)
            return;
        _handle.CheckRead(endpoint, length);
        _buffer.UseOwned(length, ref before);
        Configure(type, endpoint, milliseconds, callback, state, streamId);
    }

    private void SetSimple(
        UsbTransferType type, byte endpoint, ReadOnlySpan<byte> data, Action<UsbTransfer>? callback, object? state, TimeSpan? timeout, int streamId = 0)
    {
        UsbEndpointAddress.Check(endpoint, nameof(endpoint));
        if (UsbEndpointAddress.IsIn(endpoint))
            throw new ArgumentException($"Endpoint 0x{endpoint:x2} reads from the device: give a length or memory to read into, not data to send.", nameof(endpoint));
        uint milliseconds = TransferTimeout.ToMilliseconds(timeout);
        MemoryHandle before = default;
        using var unpin = new UnpinScope(ref before);
        using var setting = new SettingScope(this);
        if (setting.IsRefused)
            return;
        _buffer.UseOwned(data.Length, ref before);
        Configure(type, endpoint, milliseconds, callback, state, streamId);
        data.CopyTo(_buffer.From(0));
    }

    private void SetSimple(
        UsbTransferType type, byte endpoint, Memory<byte> buffer, Action<UsbTransfer>? callback, object? state, TimeSpan? timeout, int streamId = 0)
    {
        UsbEndpointAddress.Check(endpoint, nameof(endpoint));
        uint milliseconds = TransferTimeout.ToMilliseconds(timeout);
        MemoryHandle pin = buffer.Pin();
        using var unpin = new UnpinScope(ref pin);
        using var setting = new SettingScope(this);
        if (setting.IsRefused)
            return;
        _handle.CheckRead(endpoint, buffer.Length);
        _buffer.UsePinned(ref pin, buffer.Length);
        Configure(type, endpoint, milliseconds, callback, state, streamId);
    }

    private void UseOwnedControl(
        in UsbControlSetup setup, int length, uint milliseconds, Action<UsbTransfer>? callback, object? state, ref MemoryHandle before)
    {
        _buffer.UseOwned(UsbControlSetup.Size + length, ref before);
        Configure(UsbTransferType.Control, 0, milliseconds, callback, state);
        WriteSetup(setup, (ushort)length);
    }

    /// <summary>Writes the native fields. This method does not throw.</summary>
    private void Configure(UsbTransferType type, byte endpoint, uint milliseconds, Action<UsbTransfer>? callback, object? state, int streamId = 0)
    {
        _native->dev_handle = _handle.NativeHandle;
        _native->type = (byte)(_type = type);
        _native->endpoint = _endpoint = endpoint;
        _native->timeout = _milliseconds = milliseconds;
        _native->num_iso_packets = _isoPacketCount = 0;
        UseBuffer();
        if (type == UsbTransferType.BulkStream)
            libusb.libusb_transfer_set_stream_id(_native, (uint)(_streamId = streamId));
        if (callback is not null)
            Callback = callback;
        if (state is not null)
            State = state;
        Interlocked.And(ref _stop, ~UnConfigured);
        FollowClaims(); // the new endpoint may be in another interface
    }

    private void WriteSetup(in UsbControlSetup setup, ushort length)
    {
        var packet = new Span<byte>(_buffer.Pointer, UsbControlSetup.Size);
        packet[0] = setup.RequestType;
        packet[1] = setup.Request;
        BinaryPrimitives.WriteUInt16LittleEndian(packet[2..], setup.Value);
        BinaryPrimitives.WriteUInt16LittleEndian(packet[4..], setup.Index);
        BinaryPrimitives.WriteUInt16LittleEndian(packet[6..], length);
    }

    /// <summary>Reserves the transfer for the calling thread, which then configures the transfer.</summary>
    /// <param name="ignored">Reasons in <c>_stop</c> that do not prevent the configuration.</param>
    /// <returns>
    /// False if the closing of the interface or handle has already freed the transfer. This happens only in a callback. The caller then returns without
    /// configuring the transfer.
    /// </returns>
    private bool TryBeginSetting(int ignored)
    {
        int state;
        do
        {
            state = _state;
            if ((state & Dead) != 0 && IsRefusedQuietly(_stop & OwnerClosing))
                return false;
            if ((state & (InFlight | Setting | Dead)) != 0)
                ThrowNotAtRest();
        }
        while (Interlocked.CompareExchange(ref _state, state | Setting, state) != state); // repeated if the callback has just returned

        int stop = _stop & ~(UnConfigured | InterfaceClosed | Stale | ignored); // the new endpoint may be in another interface
        if (stop == 0 || IsRefusedQuietly(stop)) // a callback may configure a closing transfer; its next submission returns Closed
            return true;
        EndSetting();
        ThrowStopped(stop);
        return false;
    }

    private void EndSetting()
    {
        int state = Interlocked.And(ref _state, ~(Setting | DoomedSetting));
        if ((state & InCallback) == 0) // this thread has brought the transfer back to Idle
            AfterRest(releasing: (state & DoomedSetting) != 0 ? Disposed | Doomed : Disposed);
    }

    /// <summary>
    /// Represents the scope in which a thread configures the transfer. Until the scope ends, no other thread can submit or free the transfer. The constructor
    /// throws if the transfer is in flight, if another thread configures it, or if it may no longer be submitted.
    /// </summary>
    private readonly ref struct SettingScope
    {
        private readonly UsbTransfer? _transfer;

        public SettingScope(UsbTransfer transfer, int ignored = 0)
        {
            if (transfer.TryBeginSetting(ignored))
                _transfer = transfer;
        }

        /// <summary>
        /// Gets whether the transfer could not be reserved. This happens only in a callback, when the closing of the interface or handle has already freed the
        /// transfer. The method that configures the transfer then returns without an error.
        /// </summary>
        public bool IsRefused => _transfer is null;

        public void Dispose() => _transfer?.EndSetting();
    }

    /// <summary>
    /// Unpins memory of the caller when the scope ends. If the method that began the scope succeeds, the scope unpins the memory that the transfer used before.
    /// If the method fails, the scope unpins the memory that the caller passed to the method. Unpinning can run code of the program, and that code may close
    /// the interface or handle of the transfer. The close waits until the <see cref="SettingScope"/> of the transfer has ended. If the thread that unpins the
    /// memory were still in that <see cref="SettingScope"/>, the thread would wait for itself. A method therefore begins its <see cref="UnpinScope"/> first, so
    /// that its <see cref="SettingScope"/> ends first.
    /// </summary>
    private readonly ref struct UnpinScope(ref MemoryHandle pin)
    {
        private readonly ref MemoryHandle _pin = ref pin;

        public void Dispose() => _pin.Dispose();
    }
}
