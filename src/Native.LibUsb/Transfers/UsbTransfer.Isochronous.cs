using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

public sealed unsafe partial class UsbTransfer
{
    // The configured packet lengths. The array is allocated only on Windows, because libusb's WinUSB backend overwrites the packet lengths of a transfer in
    // flight.
    private int* _isoPacketLengths;

    /// <summary>Gets the number of packets that the transfer is configured for; 0 if it is not isochronous.</summary>
    public int IsoPacketCount
    {
        get
        {
            CheckNotDead();
            return _isoPacketCount;
        }
    }

    /// <summary>
    /// Configures an isochronous transfer of <see cref="IsoPacketCapacity"/> packets, each of <paramref name="packetLength"/> bytes, in memory that the
    /// transfer owns.
    /// </summary>
    /// <param name="endpoint">The endpoint's address, including the direction bit.</param>
    /// <param name="packetLength">
    /// The number of bytes in one packet. Usually this is the number of bytes that the endpoint can transfer in one service interval
    /// (<see cref="UsbEndpointDescriptor.BytesPerInterval"/>). The length may be 0, because libusb and the kernel also allow 0. A packet of length 0 uses its
    /// service interval and transfers nothing.
    /// </param>
    /// <param name="callback">The new value of <see cref="Callback"/>; null keeps the current value.</param>
    /// <param name="state">The new value of <see cref="State"/>; null keeps the current value.</param>
    /// <param name="timeout">
    /// The time limit, 1 millisecond to 24.8 days. Null and <see cref="System.Threading.Timeout.InfiniteTimeSpan"/> set no time limit. The transfers of a
    /// continuous stream need no time limit.
    /// </param>
    /// <exception cref="InvalidOperationException">
    /// The transfer was created without isochronous packets, has the flag <see cref="UsbTransferFlags.ShortIsError"/>, or is submitted.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">The address, the length or the timeout is out of range.</exception>
    /// <exception cref="UsbTransferDoomedException">The transfer is doomed.</exception>
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
    /// Configures an isochronous transfer that uses the caller's memory. The memory stays pinned until the transfer is configured again or disposed.
    /// </summary>
    /// <param name="endpoint">The endpoint's address, including the direction bit.</param>
    /// <param name="buffer">
    /// The memory in which the packets lie one after the other. Each packet occupies its requested length, even if fewer bytes arrive.
    /// </param>
    /// <param name="packetLengths">
    /// The number of bytes in each packet. A packet of length 0 uses its service interval and transfers nothing. There may be at most
    /// <see cref="IsoPacketCapacity"/> packets, and all packets together must fit into the buffer. If the span is empty, the buffer is divided into
    /// <see cref="IsoPacketCapacity"/> packets of equal length. In this case, the length of the buffer must be divisible by <see cref="IsoPacketCapacity"/>.
    /// </param>
    /// <param name="callback">The new value of <see cref="Callback"/>; null keeps the current value.</param>
    /// <param name="state">The new value of <see cref="State"/>; null keeps the current value.</param>
    /// <param name="timeout">
    /// The time limit, 1 millisecond to 24.8 days. Null and <see cref="System.Threading.Timeout.InfiniteTimeSpan"/> set no time limit. The transfers of a
    /// continuous stream need no time limit.
    /// </param>
    /// <exception cref="InvalidOperationException">
    /// The transfer was created without isochronous packets, has the flag <see cref="UsbTransferFlags.ShortIsError"/>, or is submitted.
    /// </exception>
    /// <exception cref="ArgumentException">The packets do not fit into the buffer, or there are more packets than the transfer has room for.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The address, a length or the timeout is out of range.</exception>
    /// <exception cref="UsbTransferDoomedException">The transfer is doomed.</exception>
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
    /// <param name="data">The data to send, in which the packets lie one after the other.</param>
    /// <param name="packetLengths">The number of bytes in each packet. If the span is empty, the data is divided into packets of equal length.</param>
    /// <param name="callback">The new value of <see cref="Callback"/>; null keeps the current value.</param>
    /// <param name="state">The new value of <see cref="State"/>; null keeps the current value.</param>
    /// <param name="timeout">
    /// The time limit, 1 millisecond to 24.8 days. Null and <see cref="System.Threading.Timeout.InfiniteTimeSpan"/> set no time limit.
    /// </param>
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
    /// Gets an enumerator that returns the packets in order, each with its status and data. The enumerator returns successful packets even when other packets
    /// have failed. The enumerator allocates nothing, and needs the same time for each packet, regardless of the lengths of the packets.
    /// </summary>
    /// <remarks>
    /// <para>Call this method in the callback, or while the transfer is not submitted. The enumerator and its spans are valid until the transfer is configured,
    /// submitted or disposed. While the program uses the enumerator or its spans, no other thread may configure, submit or dispose the transfer.</para>
    /// <para>On Linux, libusb divides a transfer of more than 128 packets into several URBs. If such a transfer is cancelled or times out, or if the kernel
    /// refuses one of its later URBs (<see cref="UsbTransferStatus.Error"/>), the results of the individual packets are unknown. The enumerator then reports
    /// all packets as empty, with the transfer's status. Use at most 128 packets in a transfer if the program needs the packets that ended before such a
    /// failure.</para>
    /// </remarks>
    /// <exception cref="InvalidOperationException">The transfer is not isochronous, or it is submitted.</exception>
    public UsbIsoPacketEnumerator IterIso()
    {
        CheckAtRest();
        if (_type != UsbTransferType.Isochronous)
            ThrowNotIsochronous();
        return new UsbIsoPacketEnumerator(_native->iso_packet_desc, _isoPacketCount, _buffer.Pointer);
    }

    /// <summary>
    /// Gets the requested length of each packet. Unlike <see cref="IterIso"/>, this method may be called while the transfer is submitted, because it does not
    /// read the results that libusb writes at that time.
    /// </summary>
    /// <returns>A new array with one element for each packet; empty if the transfer is not isochronous.</returns>
    /// <exception cref="ObjectDisposedException">The transfer is disposed.</exception>
    public int[] GetIsoPacketLengths()
    {
        lock (_freeing) // no thread frees the native transfer while this one holds the lock
        {
            CheckNotDead();
            var lengths = new int[_isoPacketCount];
            for (int i = 0; i < lengths.Length; i++)
                lengths[i] = _isoPacketLengths is null ? (int)_native->iso_packet_desc[i].length : _isoPacketLengths[i];
            return lengths;
        }
    }

    /// <summary>Gets the length of the largest URB that libusb creates for the transfer on Linux, and the length of the longest packet.</summary>
    private (int Urb, int Packet) LargestPiece()
    {
        long largest = 0, current = 0;
        int longest = 0;
        lock (_freeing) // the transfer is not in flight, so another thread may release it
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

    // If the flag ShortIsError is set, libusb compares the requested length with the number of transferred bytes. libusb does not set this number for
    // isochronous transfers, so every isochronous transfer would fail.
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

    // While an isochronous transfer is in flight, libusb's WinUSB backend uses the packet descriptors as scratch memory and leaves wrong lengths in them. On
    // Windows, the library therefore keeps a copy of the lengths, and restores them before each submission. On other platforms, no code overwrites the lengths,
    // so a copy would only cost time.
    private void KeepIsoPacketLengths()
    {
        if (!OperatingSystem.IsWindows())
            return;
        if (_isoPacketLengths is null)
            _isoPacketLengths = (int*)NativeMemory.Alloc((nuint)IsoPacketCapacity, sizeof(int));
        for (int i = 0; i < _native->num_iso_packets; i++)
            _isoPacketLengths[i] = (int)_native->iso_packet_desc[i].length;
    }

    /// <summary>
    /// Marks all packets as empty if libusb may have stored wrong results for them. Only transfers that did not complete successfully need this method.
    /// </summary>
    /// <remarks>
    /// libusb assigns results to packets in the order in which the URBs end. When a transfer is stopped, libusb discards its URBs from the last to the first. A
    /// packet may then get the result of another packet, or keep the result of the previous submission. When the kernel refuses a URB, the packets of this URB
    /// keep the results of the previous submission. Such wrong results cannot be distinguished from correct results.
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
