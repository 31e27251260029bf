using Native.LibUsb.Streaming;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Faults;

/// <summary>Fills the buffers of a ring that writes numbered packets to an isochronous endpoint, and checks the packets that the device receives.</summary>
internal sealed class IsoWriteAccount(FaultLedger ledger, long target, int packets, int packetSize) : RingAccount(ledger, target)
{
    private long _committed;
    private long _next;

    public long CommittedPackets => _committed;

    public long TakenPackets { get; private set; }

    /// <summary>Gets the number of packets that the device has not received.</summary>
    public long LostPackets { get; private set; }

    public void Fill(UsbOutputBuffer buffer)
    {
        if (Enough.IsCompleted)
            return;
        Span<byte> data = buffer.Span;
        long number = _committed;
        Volatile.Write(ref _committed, number + packets);
        for (int i = 0; i < packets; i++)
            NumberedPattern.Fill(data.Slice(i * packetSize, packetSize), (ulong)(number + i));
        buffer.Commit(packets * packetSize);
        Count();
    }

    public void Take(long place, ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty)
            return; // a fault has emptied the packet
        long number = (long)NumberedPattern.ReadNumber(data);
        bool good = number >= _next && number < Volatile.Read(ref _committed) && data.Length == packetSize && NumberedPattern.CountMismatches(data, (ulong)number) == 0;
        Expect(good, $"Packet {number} follows {_next - 1} and has {data.Length} bytes.");
        LostPackets += number - _next;
        _next = number + 1;
        TakenPackets++;
    }

    /// <summary>Counts the packets that were lost at the end. Call this method after the ring has sent all data.</summary>
    public void Finish()
    {
        LostPackets += _committed - _next;
        _next = _committed;
    }
}
