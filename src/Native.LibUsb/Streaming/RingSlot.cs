using System.Runtime.InteropServices;

namespace Native.LibUsb.Streaming;

/// <summary>
/// One transfer of a ring and its memory. The memory is managed and does not move, and what libusb tells of packets is copied out: so what the
/// program still holds when everything is closed is stale, but never freed under it.
/// </summary>
internal sealed class RingSlot
{
    public RingSlot(UsbRing ring, UsbTransfer transfer, int size, int packets)
    {
        Ring = ring;
        Transfer = transfer;
        byte[] memory = AlignedMemory.AllocatePinned(size, clear: false, out int start);
        Memory = MemoryMarshal.CreateFromPinnedArray(memory, start, size);
        PacketLengths = packets == 0 ? [] : new int[packets];
        PacketStatuses = packets == 0 ? [] : new byte[packets];
        transfer.State = this;
    }

    public UsbRing Ring { get; }

    public UsbTransfer Transfer { get; }

    public Memory<byte> Memory { get; }

    public int[] PacketLengths { get; }

    public byte[] PacketStatuses { get; }

    public RingSlotState State { get; set; }

    // The order: from the transfer that was submitted first to the last.
    public RingSlot? Earlier { get; set; }

    public RingSlot? Later { get; set; }

    /// <summary>The number of this submission: 0, 1, 2...</summary>
    public long Sequence { get; set; }

    /// <summary>Counts how often the program had it, by which a stale buffer is known.</summary>
    public long Loan { get; set; }

    public UsbTransferStatus Status { get; set; }

    /// <summary>Bytes that moved; of isochronous transfers the sum of the packets.</summary>
    public int Length { get; set; }

    /// <summary>Bytes to send; only rings that write use it.</summary>
    public int Committed { get; set; }

    /// <summary>Bytes of those that the device has taken.</summary>
    public int Sent { get; set; }

    /// <summary>Whether it is silence that the ring itself has put in, because nothing was committed in time.</summary>
    public bool IsFiller { get; set; }

    /// <summary>Whether a zero-length packet follows when the last one is full.</summary>
    public bool EndsMessage { get; set; }

    /// <summary>Isochronous packets that had their turn.</summary>
    public int Packets { get; set; }

    /// <summary>When its transfer ended, by <see cref="System.Diagnostics.Stopwatch"/>.</summary>
    public long Timestamp { get; set; }

    /// <summary>What was thrown away between the buffer before and this one.</summary>
    public UsbRingLoss LostBefore { get; set; }
}
