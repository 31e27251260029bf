using System.Runtime.CompilerServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb.Streaming;

/// <summary>Represents one transfer of a ring and its memory.</summary>
/// <remarks>
/// <para>The memory is managed memory that does not move, or memory that the program has supplied. The ring copies the results of packets out of libusb's
/// memory. The program may still hold a buffer after the ring and the device handle are closed. Such a buffer is stale, but its managed memory stays valid.</para>
/// <para>The members in this file need neither libusb nor a ring, so that tests compile the file without <c>RingTransfer.Memory.cs</c>.</para>
/// </remarks>
internal sealed partial class RingTransfer
{
    /// <summary>The number of this submission: 0, 1, 2 and so on. It is -1 before the first submission and after a refused one.</summary>
    public long Sequence = -1;

    public int Index { get; }

    /// <summary>Gets the distance between isochronous packets in the memory, in bytes; 0 for other transfers.</summary>
    public int PacketSize { get; }

    /// <summary>Gets copies of libusb's packet descriptors, made when the transfer ended; empty if the transfer is not isochronous.</summary>
    public libusb_iso_packet_descriptor[] Descriptors { get; }

    public RingTransferState State { get; set; }

    /// <summary>
    /// Gets or sets the index of the transfer before this one in a <see cref="TransferList"/>. An index costs no write barrier, which a reference would.
    /// </summary>
    public int Earlier { get; set; }

    public int Later { get; set; }

    /// <summary>Gets or sets the transfer that the fast path submits when this transfer ends. It is the transfer that ended before this one.</summary>
    public RingTransfer Spare { get; set; } = null!;

    public UsbTransferStatus Status { get; set; }

    /// <summary>Gets or sets the number of bytes that moved; for isochronous transfers the sum over the packets.</summary>
    public int Length { get; set; }

    /// <summary>Gets the number of the first isochronous packet.</summary>
    public long FirstPacket
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Sequence * Descriptors.Length;
    }

    /// <summary>Gets or sets the number of isochronous packets whose service interval has passed.</summary>
    public int Packets { get; set; }

    /// <summary>
    /// Gets or sets the time at which the transfer's callback began, in ticks of <see cref="System.Diagnostics.Stopwatch"/>; 0 without timestamps.
    /// </summary>
    public long Timestamp { get; set; }

    /// <summary>Gets or sets the data that the ring dropped between the previous buffer and this one.</summary>
    public UsbRingLoss LostBefore { get; set; }

    /// <summary>Gets the data that an output ring sends with the transfer.</summary>
    public OutputContent Output { get; } = new();

    /// <summary>
    /// Gets whether the transfer was cancelled, or the device was removed, before any data had arrived. The ring does not deliver such a transfer.
    /// </summary>
    public bool IsEmptyAfterStop => Length == 0 && Packets == 0 && Status is UsbTransferStatus.Canceled or UsbTransferStatus.NoDevice;
}
