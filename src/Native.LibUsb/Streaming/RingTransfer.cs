using System.Runtime.CompilerServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb.Streaming;

/// <summary>Represents one transfer of a ring, and the memory of this transfer.</summary>
/// <remarks>
/// <para>The program may still read a buffer after the ring and the device handle are closed. The data is therefore in managed memory that does not move, or in
/// memory that the program has supplied. The ring also copies the results of isochronous packets out of libusb's memory.</para>
/// <para>The members in this file need neither libusb nor a ring, so tests can compile the file without <c>RingTransfer.Memory.cs</c>.</para>
/// </remarks>
internal sealed partial class RingTransfer
{
    /// <summary>
    /// The number of the transfer's last submission. The ring numbers the submissions of all its transfers in one sequence, which starts at 0. The value is -1
    /// if the transfer was never submitted, or if libusb refused the last submission.
    /// </summary>
    public long Sequence = -1;

    public int Index { get; }

    /// <summary>Gets the distance between isochronous packets in the memory, in bytes; 0 for other transfers.</summary>
    public int PacketSize { get; }

    /// <summary>
    /// Gets copies of libusb's packet descriptors. The ring makes the copies when the transfer ends. If the transfer is not isochronous, the array is empty.
    /// </summary>
    public libusb_iso_packet_descriptor[] Descriptors { get; }

    public RingTransferState State { get; set; }

    /// <summary>
    /// Gets or sets the index of the previous transfer in a <see cref="TransferList"/>. The property is not a reference, because writing a reference costs a
    /// write barrier.
    /// </summary>
    public int Earlier { get; set; }

    public int Later { get; set; }

    /// <summary>
    /// Gets or sets the transfer that ended just before this transfer. When this transfer ends, the fast path submits the earlier transfer again.
    /// </summary>
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
    /// Gets or sets the time at which the transfer's callback began, in ticks of <see cref="System.Diagnostics.Stopwatch"/>. The value is 0 if the ring records
    /// no timestamps.
    /// </summary>
    public long Timestamp { get; set; }

    /// <summary>Gets or sets the data that the ring dropped between the previous buffer and this one.</summary>
    public UsbRingLoss LostBefore { get; set; }

    /// <summary>Gets the data that an output ring sends with the transfer.</summary>
    public OutputContent Output { get; } = new();

    /// <summary>
    /// Gets whether the transfer ended without data because the transfer was cancelled or the device was removed. The ring does not deliver such a transfer.
    /// </summary>
    public bool IsEmptyAfterStop => Length == 0 && Packets == 0 && Status is UsbTransferStatus.Canceled or UsbTransferStatus.NoDevice;
}
