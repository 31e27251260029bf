using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb.Streaming;

/// <summary>Represents one transfer of a ring and its memory.</summary>
/// <remarks>
/// The memory is managed memory that does not move, or memory that the program has supplied. The ring copies the results of packets out of libusb's memory. The
/// program may still hold a buffer after the ring and the device handle are closed. Such a buffer is stale, but its managed memory stays valid.
/// </remarks>
internal sealed unsafe class RingTransfer
{
    private readonly byte[]? _array; // null when the program has supplied the memory
    private readonly int _start;

    /// <summary>The number of the buffer's current loan to the program. A stale buffer has another number.</summary>
    public long Loan;

    /// <summary>The number of this submission: 0, 1, 2 and so on. It is -1 before the first submission and after a refused one.</summary>
    public long Sequence = -1;

    public RingTransfer(UsbRing ring, int index, UsbTransfer transfer, RingConfiguration configuration)
    {
        Index = index;
        Ring = ring;
        Transfer = transfer;
        Native = transfer.DangerousGetTransfer();
        Memory = configuration.MemoryOf(index);
        if (Memory.IsEmpty)
        {
            _array = AlignedMemory.AllocatePinned(configuration.TransferSize, clear: false, out _start);
            Memory = MemoryMarshal.CreateFromPinnedArray(_array, _start, configuration.TransferSize);
        }

        Descriptors = configuration.Packets == 0 ? [] : new libusb_iso_packet_descriptor[configuration.Packets];
        PacketSize = configuration.PacketSize;
    }

    public int Index { get; }

    public UsbRing Ring { get; }

    public UsbTransfer Transfer { get; }

    /// <summary>Gets the native transfer, which exists until the ring is released.</summary>
    public libusb_transfer* Native { get; }

    /// <summary>Gets or sets the ring's engine. The constructor of the engine sets the property.</summary>
    public RingEngine Engine { get; set; } = null!;

    public Memory<byte> Memory { get; }

    /// <summary>Gets the first byte of the memory.</summary>
    public ref byte Start
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            if (_array is { } array)
                return ref Unsafe.AddByteOffset(ref MemoryMarshal.GetArrayDataReference(array), (nuint)_start);
            return ref MemoryMarshal.GetReference(Memory.Span);
        }
    }

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
