using Native.LibUsb.Streaming;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Faults;

/// <summary>Checks each packet of a ring that reads numbered packets from an isochronous endpoint.</summary>
internal sealed class IsoReadAccount(FaultLedger ledger, long target, int packets, int packetSize) : RingAccount(ledger, target)
{
    private long _next; // the packet that the device sends next
    private long _nextUrb;

    public long DeliveredPackets { get; private set; }

    /// <summary>Gets the number of packets that the device has sent and the ring has not delivered.</summary>
    public long LostPackets { get; private set; }

    public void Take(UsbInputBuffer buffer)
    {
        long urb = buffer.Sequence;
        SkipTo(urb);
        _nextUrb = urb + 1;
        InjectedFault? fault = Ledger.TakeUrb(urb);
        if (fault is { Kind: FaultKind.Status or FaultKind.Never } unsent)
            TakeUnsent(buffer, unsent);
        else
            TakePackets(buffer, fault);
        Count();
    }

    /// <summary>Counts the packets that were lost after the last delivered buffer. Call this method after the ring has stopped for the last time.</summary>
    /// <param name="submitted">The number of submitted URBs.</param>
    /// <param name="sent">The number of packets that the device has sent.</param>
    public void Finish(long submitted, long sent)
    {
        SkipTo(submitted);
        LosePacketsTo(sent);
    }

    private void TakeUnsent(UsbInputBuffer buffer, in InjectedFault fault)
    {
        UsbTransferStatus status = buffer.Status;
        Expect(status == StatusOf(fault.Status) || status == UsbTransferStatus.Canceled, $"The status is {status}: {fault}");
        Expect(buffer.Length == 0, $"{buffer.Length} bytes were delivered: {fault}");
    }

    private void TakePackets(UsbInputBuffer buffer, InjectedFault? fault)
    {
        UsbTransferStatus status = buffer.Status;
        Expect(status is UsbTransferStatus.Completed or UsbTransferStatus.Canceled, $"URB {buffer.Sequence} ended with {status}: {fault}");
        int index = 0;
        foreach (UsbRingPacket packet in buffer.Packets)
        {
            if (packet.Status == UsbTransferStatus.Completed && packet.Data.Length > 0)
                TakeGood(packet.Data, index);
            index++;
        }

        Expect(index == packets || status == UsbTransferStatus.Canceled, $"URB {buffer.Sequence} has {index} packets.");
    }

    private void TakeGood(ReadOnlySpan<byte> data, int index)
    {
        long number = (long)NumberedPattern.ReadNumber(data);
        Expect(number >= _next && number < _next + (2 * packets), $"Packet {number} follows {_next - 1}.");
        Expect(number % packets == index, $"Packet {number} is at place {index}.");
        Expect(data.Length == packetSize && NumberedPattern.CountMismatches(data, (ulong)number) == 0, $"Packet {number} is not what the device has sent.");
        LosePacketsTo(number);
        _next = number + 1;
        DeliveredPackets++;
    }

    private void LosePacketsTo(long number)
    {
        for (; _next < number; _next++)
        {
            LostPackets++;
            Expect(Ledger.TakePacket(_next) is { Lost: > 0 }, $"Packet {_next} was not delivered, and no fault is recorded.");
        }
    }

    private void SkipTo(long urb)
    {
        for (; _nextUrb < urb; _nextUrb++)
            _ = Ledger.TakeUrb(_nextUrb);
    }
}
