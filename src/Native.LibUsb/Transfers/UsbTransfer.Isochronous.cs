using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

public sealed unsafe partial class UsbTransfer
{
    // Lengths as configured, kept only where libusb overwrites them in flight (WinUSB).
    private int* _isoPacketLengths;

    /// <summary>Gets how many packets it is configured for; 0 when it is not isochronous.</summary>
    public int IsoPacketCount
    {
        get
        {
            CheckNotDead();
            return _isoPacketCount;
        }
    }

    /// <summary>
    /// Configures an isochronous transfer in memory of its own: <see cref="IsoPacketCapacity"/> packets of
    /// <paramref name="packetLength"/> bytes.
    /// </summary>
    /// <param name="endpoint">The endpoint's address, with its direction bit.</param>
    /// <param name="packetLength">
    /// Bytes of one packet: what the endpoint may move in one service interval (<see cref="UsbEndpointDescriptor.BytesPerInterval"/>). 0 is allowed, as
    /// libusb and the kernel allow it: such a packet takes its turn and moves nothing.
    /// </param>
    /// <param name="callback">Called when it ends; null leaves what is set.</param>
    /// <param name="state">Becomes <see cref="State"/>; null leaves what is set.</param>
    /// <param name="timeout">The time limit, 1 millisecond to 24.8 days; null and <see cref="System.Threading.Timeout.InfiniteTimeSpan"/> set none. Streams
    /// need none.</param>
    /// <exception cref="InvalidOperationException">It was made without isochronous packets, or is submitted.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The address, the length or the timeout is out of range.</exception>
    /// <exception cref="UsbTransferDoomedException">It is doomed.</exception>
    public void SetIsochronous(byte endpoint, int packetLength, Action<UsbTransfer>? callback = null, object? state = null, TimeSpan? timeout = null)
    {
        CheckIsochronous(endpoint);
        ArgumentOutOfRangeException.ThrowIfNegative(packetLength);
        if ((long)packetLength * IsoPacketCapacity > int.MaxValue)
            throw new ArgumentOutOfRangeException(nameof(packetLength), packetLength, $"{IsoPacketCapacity} packets of that length are over 2 GiB.");
        uint milliseconds = TransferTimeout.ToMilliseconds(timeout);
        MemoryHandle before = default;
        using var unpin = new UnpinScope(ref before);
        using var setting = new SettingScope(this);
        if (setting.IsRefused)
            return;
        _buffer.UseOwned(packetLength * IsoPacketCapacity, ref before);
        Configure(UsbTransferType.Isochronous, endpoint, milliseconds, callback, state);
        SetPacketLengths(packetLength, IsoPacketCapacity);
    }

    /// <summary>
    /// Configures an isochronous transfer in the caller's memory, which stays pinned until the transfer is configured anew or disposed.
    /// </summary>
    /// <param name="endpoint">The endpoint's address, with its direction bit.</param>
    /// <param name="buffer">Where the packets lie one after the other, each as long as requested, however long it turns out.</param>
    /// <param name="packetLengths">
    /// Bytes of each packet; 0 takes a turn and moves nothing. At most <see cref="IsoPacketCapacity"/> packets, which together fit the buffer. Empty: the buffer
    /// is divided evenly into <see cref="IsoPacketCapacity"/> packets, and must divide without remainder.
    /// </param>
    /// <param name="callback">Called when it ends; null leaves what is set.</param>
    /// <param name="state">Becomes <see cref="State"/>; null leaves what is set.</param>
    /// <param name="timeout">The time limit, 1 millisecond to 24.8 days; null and <see cref="System.Threading.Timeout.InfiniteTimeSpan"/> set none. Streams
    /// need none.</param>
    /// <exception cref="InvalidOperationException">It was made without isochronous packets, or is submitted.</exception>
    /// <exception cref="ArgumentException">The buffer and the packets do not fit.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The address, a length or the timeout is out of range.</exception>
    /// <exception cref="UsbTransferDoomedException">It is doomed.</exception>
    public void SetIsochronousPinned(
        byte endpoint, Memory<byte> buffer, ReadOnlySpan<int> packetLengths = default, Action<UsbTransfer>? callback = null, object? state = null, TimeSpan? timeout = null)
    {
        CheckIsochronous(endpoint);
        CheckPackets(buffer.Length, packetLengths, nameof(buffer));
        uint milliseconds = TransferTimeout.ToMilliseconds(timeout);
        MemoryHandle pin = buffer.Pin();
        using var unpin = new UnpinScope(ref pin);
        using var setting = new SettingScope(this);
        if (setting.IsRefused)
            return;
        _buffer.UsePinned(ref pin, buffer.Length);
        Configure(UsbTransferType.Isochronous, endpoint, milliseconds, callback, state);
        SetPacketLengths(packetLengths);
    }

    /// <summary>Configures an isochronous transfer that sends a copy of <paramref name="data"/>.</summary>
    /// <inheritdoc cref="SetIsochronousPinned"/>
    /// <param name="endpoint">The address of an OUT endpoint.</param>
    /// <param name="data">The packets to send, one after the other.</param>
    /// <param name="packetLengths">Bytes of each packet; empty divides the data evenly.</param>
    /// <param name="callback">Called when it ends; null leaves what is set.</param>
    /// <param name="state">Becomes <see cref="State"/>; null leaves what is set.</param>
    /// <param name="timeout">The time limit, 1 millisecond to 24.8 days; null and <see cref="System.Threading.Timeout.InfiniteTimeSpan"/> set none.</param>
    public void SetIsochronousCopy(
        byte endpoint, ReadOnlySpan<byte> data, ReadOnlySpan<int> packetLengths = default, Action<UsbTransfer>? callback = null, object? state = null, TimeSpan? timeout = null)
    {
        if (UsbEndpointAddress.IsIn(endpoint))
            throw new ArgumentException($"Endpoint 0x{endpoint:x2} reads from the device: give a packet length or memory to read into, not data to send.", nameof(endpoint));
        CheckIsochronous(endpoint);
        CheckPackets(data.Length, packetLengths, nameof(data));
        uint milliseconds = TransferTimeout.ToMilliseconds(timeout);
        MemoryHandle before = default;
        using var unpin = new UnpinScope(ref before);
        using var setting = new SettingScope(this);
        if (setting.IsRefused)
            return;
        _buffer.UseOwned(data.Length, ref before);
        Configure(UsbTransferType.Isochronous, endpoint, milliseconds, callback, state);
        SetPacketLengths(packetLengths);
        data.CopyTo(_buffer.From(0));
    }

    /// <summary>
    /// Gets the packets in order, each with its status and what arrived. Costs the same for every packet regardless of their lengths, allocates
    /// nothing, and delivers good packets also next to failed ones.
    /// </summary>
    /// <remarks>
    /// <para>Use it in the callback, or while the transfer is at rest. It and the spans are valid until the transfer is configured, submitted or
    /// disposed: make sure that no other thread does that in the meantime.</para>
    /// <para>On Linux a transfer of more than 128 packets is several URBs. If it is cancelled, or its time runs out, or a later URB is refused (the
    /// status is then <see cref="UsbTransferStatus.Error"/>), the results of single packets are unknown, and all are reported as empty, with the transfer's
    /// status. Take at most 128 packets where what came before that matters.</para>
    /// </remarks>
    /// <exception cref="InvalidOperationException">It is not isochronous, or it is submitted.</exception>
    public UsbIsoPacketEnumerator IterIso()
    {
        CheckAtRest();
        if (_type != UsbTransferType.Isochronous)
            ThrowNotIsochronous();
        return new UsbIsoPacketEnumerator(_native->iso_packet_desc, _isoPacketCount, _buffer.Pointer);
    }

    /// <summary>
    /// Gets the length requested of each packet. Unlike <see cref="IterIso"/> it may be called while the transfer is submitted, because only results belong to
    /// libusb then.
    /// </summary>
    /// <returns>A copy, one element for each packet; empty when the transfer is not isochronous.</returns>
    /// <exception cref="ObjectDisposedException">The transfer is disposed.</exception>
    public int[] GetIsoPacketLengths()
    {
        lock (_freeing) // the native transfer is not freed in the meantime
        {
            CheckNotDead();
            var lengths = new int[_isoPacketCount];
            for (int i = 0; i < lengths.Length; i++)
                lengths[i] = _isoPacketLengths is null ? (int)_native->iso_packet_desc[i].length : _isoPacketLengths[i];
            return lengths;
        }
    }

    /// <summary>Gets the bytes of the largest URB that libusb makes of the packets on Linux, and of the longest packet.</summary>
    private (int Urb, int Packet) LargestPiece()
    {
        long largest = 0, current = 0;
        int longest = 0;
        lock (_freeing) // the transfer is at rest: another thread may release it
        {
            for (int i = 0; _native is not null && i < _native->num_iso_packets; i++)
            {
                int length = (int)_native->iso_packet_desc[i].length;
                current = (i % UsbfsLimits.PacketsPerUrb == 0 ? 0 : current) + length;
                largest = Math.Max(largest, current);
                longest = Math.Max(longest, length);
            }
        }

        return ((int)Math.Min(largest, int.MaxValue), longest);
    }

    [DoesNotReturn]
    private static void ThrowNotIsochronous() => throw new InvalidOperationException("The transfer is not configured as isochronous.");

    private void CheckIsochronous(byte endpoint)
    {
        UsbEndpointAddress.Check(endpoint, nameof(endpoint));
        if (IsoPacketCapacity == 0)
        {
            throw new InvalidOperationException(
                $"The transfer has no room for isochronous packets: if endpoint 0x{endpoint:x2} is isochronous, pass their number to CreateTransfer.");
        }

        if ((_flags & UsbTransferFlags.ShortIsError) != 0)
            ThrowShortIsochronous();
    }

    // libusb compares the length requested with a count that it keeps for other transfers only: all would end as failed.
    [DoesNotReturn]
    private static void ThrowShortIsochronous() => throw new InvalidOperationException(
        "An isochronous transfer cannot have UsbTransferFlags.ShortIsError: its packets have a length and a status each (IterIso).");

    private void CheckPackets(int bufferLength, ReadOnlySpan<int> packetLengths, string parameter)
    {
        if (packetLengths.IsEmpty)
        {
            if (bufferLength == 0 || bufferLength % IsoPacketCapacity != 0)
                throw new ArgumentException($"{bufferLength} bytes do not divide evenly into {IsoPacketCapacity} packets: give the packet lengths.", parameter);
            return;
        }

        if (packetLengths.Length > IsoPacketCapacity)
            throw new ArgumentException($"The transfer has room for {IsoPacketCapacity} packets, not {packetLengths.Length}.", nameof(packetLengths));
        long sum = 0;
        foreach (int length in packetLengths)
        {
            if (length < 0)
                throw new ArgumentOutOfRangeException(nameof(packetLengths), length, "The length of a packet is not negative.");
            sum += length;
        }

        if (sum > bufferLength)
            throw new ArgumentException($"The packets are {sum} bytes together, the buffer has {bufferLength}.", parameter);
    }

    private void SetPacketLengths(ReadOnlySpan<int> packetLengths)
    {
        if (packetLengths.IsEmpty)
        {
            SetPacketLengths(_buffer.Length / IsoPacketCapacity, IsoPacketCapacity);
            return;
        }

        _native->num_iso_packets = _isoPacketCount = packetLengths.Length;
        libusb_iso_packet_descriptor* packet = _native->iso_packet_desc;
        foreach (int length in packetLengths)
            *packet++ = new libusb_iso_packet_descriptor { length = (uint)length };
        KeepIsoPacketLengths();
    }

    private void SetPacketLengths(int length, int count)
    {
        _native->num_iso_packets = _isoPacketCount = count;
        libusb_iso_packet_descriptor* packet = _native->iso_packet_desc;
        for (int i = 0; i < count; i++)
            packet[i] = new libusb_iso_packet_descriptor { length = (uint)length };
        KeepIsoPacketLengths();
    }

    // WinUSB's isochronous path uses the packet descriptors for itself while the transfer is in flight, and leaves other lengths
    // behind. Elsewhere no thread writes them, and the copy would cost time on every submission.
    private void KeepIsoPacketLengths()
    {
        if (!OperatingSystem.IsWindows())
            return;
        if (_isoPacketLengths is null)
            _isoPacketLengths = (int*)NativeMemory.Alloc((nuint)IsoPacketCapacity, sizeof(int));
        for (int i = 0; i < _native->num_iso_packets; i++)
            _isoPacketLengths[i] = (int)_native->iso_packet_desc[i].length;
    }

    /// <summary>Reports no packets where libusb would report wrong ones. For transfers that did not complete.</summary>
    /// <remarks>
    /// libusb gives packets their places in the order in which URBs end. A transfer that is stopped has its URBs discarded from the last to the
    /// first, so packets get places that are not theirs, and with them data of the submission before. When a URB was refused, its packets are
    /// still those of the submission before. Neither differs from packets that are right.
    /// </remarks>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void ForgetMixedUpPackets()
    {
        libusb_transfer_status status = _native->status;
        if (!(OperatingSystem.IsLinux() || OperatingSystem.IsAndroid())
            || _native->type != (byte)UsbTransferType.Isochronous || _native->num_iso_packets <= UsbfsLimits.PacketsPerUrb
            || status is not (libusb_transfer_status.LIBUSB_TRANSFER_CANCELLED or libusb_transfer_status.LIBUSB_TRANSFER_TIMED_OUT
                or libusb_transfer_status.LIBUSB_TRANSFER_ERROR))
        {
            return;
        }

        libusb_iso_packet_descriptor* packets = _native->iso_packet_desc;
        for (int i = 0; i < _native->num_iso_packets; i++)
        {
            packets[i].actual_length = 0;
            packets[i].status = status;
        }
    }

    private void RestoreIsoPacketLengths()
    {
        for (int i = 0; i < _native->num_iso_packets; i++)
            _native->iso_packet_desc[i].length = (uint)_isoPacketLengths[i];
    }

    private void ReleaseIsoPacketLengths()
    {
        NativeMemory.Free(_isoPacketLengths);
        _isoPacketLengths = null;
    }
}
