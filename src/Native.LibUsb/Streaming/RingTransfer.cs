using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb.Streaming;

/// <summary>Represents one transfer of a ring and its memory.</summary>
/// <remarks>
/// The memory is managed and does not move, or the program has supplied it. The results of packets are copied out of libusb's memory. A buffer that the program
/// still holds when everything is closed is stale, but managed memory is never freed under the program.
/// </remarks>
internal sealed unsafe class RingTransfer
{
    private readonly byte[]? _array; // null when the program has supplied the memory
    private readonly int _start;

    /// <summary>Counts how often the program had the buffer. A stale buffer has another number.</summary>
    public long Loan;

    /// <summary>The number of this submission: 0, 1, 2... -1 before the first one, and after a refused one.</summary>
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

    /// <summary>Gets the native transfer, which exists as long as the ring is not released.</summary>
    public libusb_transfer* Native { get; }

    /// <summary>Gets or sets the engine of the ring, which sets it.</summary>
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

    /// <summary>Gets the distance of isochronous packets in the memory; 0 for other transfers.</summary>
    public int PacketSize { get; }

    /// <summary>Gets copies of libusb's packet descriptors, as they were when the transfer ended; empty for other transfers.</summary>
    public libusb_iso_packet_descriptor[] Descriptors { get; }

    public RingTransferState State { get; set; }

    /// <summary>Gets or sets the neighbours in a <see cref="TransferList"/>: indices, because references would cost a write barrier each.</summary>
    public int Earlier { get; set; }

    public int Later { get; set; }

    /// <summary>Gets or sets the transfer that is submitted when this one ends on the fast path: the one that ended before it.</summary>
    public RingTransfer Spare { get; set; } = null!;

    public UsbTransferStatus Status { get; set; }

    /// <summary>Gets or sets the bytes that moved; for isochronous transfers the sum of the packets.</summary>
    public int Length { get; set; }

    /// <summary>Gets the number of the first isochronous packet.</summary>
    public long FirstPacket
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Sequence * Descriptors.Length;
    }

    /// <summary>Gets or sets the isochronous packets that had their turn.</summary>
    public int Packets { get; set; }

    /// <summary>Gets or sets the time at which its callback began, by <see cref="System.Diagnostics.Stopwatch"/>; 0 without timestamps.</summary>
    public long Timestamp { get; set; }

    /// <summary>Gets or sets what was dropped between the buffer before it and this one.</summary>
    public UsbRingLoss LostBefore { get; set; }

    /// <summary>Gets what an output ring sends with it.</summary>
    public OutputContent Output { get; } = new();

    /// <summary>Gets whether it was cancelled before anything had arrived, so that there is nothing to deliver.</summary>
    public bool IsEmptyAfterStop => Length == 0 && Packets == 0 && Status is UsbTransferStatus.Canceled or UsbTransferStatus.NoDevice;
}
