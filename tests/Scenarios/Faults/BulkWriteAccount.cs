using Native.LibUsb.Streaming;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Faults;

/// <summary>Fills the buffers of a ring that writes numbered packets to a bulk endpoint, and checks the packets that the device receives.</summary>
internal sealed class BulkWriteAccount(FaultLedger ledger, long target, int transferSize, int packetSize) : RingAccount(ledger, target)
{
    private readonly List<byte> _taken = []; // the number of times that the device has received each packet
    private long _committed;

    public long TakenBytes { get; private set; }

    public long CommittedBytes => _committed * packetSize;

    /// <summary>Creates an endpoint that checks the packets. The caller adds the endpoint to the device.</summary>
    public VirtualEndpoint MakeEndpoint(byte address) => new Sink(this, address);

    public void Fill(UsbOutputBuffer buffer)
    {
        if (Enough.IsCompleted)
            return;
        Span<byte> data = buffer.Span;
        lock (_taken)
        {
            for (int start = 0; start < transferSize; start += packetSize)
            {
                NumberedPattern.Fill(data.Slice(start, packetSize), (ulong)_committed++);
                _taken.Add(0);
            }
        }

        buffer.Commit(transferSize);
        Count();
    }

    /// <summary>
    /// Checks that the device has received each packet once, plus once for each recorded repetition. Call this method after the ring has sent all data.
    /// </summary>
    public void Finish()
    {
        long repeated = 0;
        for (int packet = 0; packet < _taken.Count; packet++)
        {
            Expect(_taken[packet] > 0, $"The device has not taken packet {packet}.");
            repeated += _taken[packet] - 1;
        }

        Expect(repeated * packetSize == Ledger.RepeatedBytes, $"The device has taken {repeated} packets twice; {Ledger.RepeatedBytes} bytes are recorded.");
    }

    private void Take(ReadOnlySpan<byte> data)
    {
        TakenBytes += data.Length;
        lock (_taken)
        {
            for (; data.Length >= packetSize; data = data[packetSize..])
            {
                ulong number = NumberedPattern.ReadNumber(data);
                bool known = number < (ulong)_committed && NumberedPattern.CountMismatches(data[..packetSize], number) == 0;
                Expect(known, $"The device got packet {number}, which the ring has not sent.");
                if (known)
                    _taken[(int)number]++;
            }
        }

        Expect(data.IsEmpty, $"The device got a packet of {data.Length} bytes.");
    }

    private sealed class Sink(BulkWriteAccount account, byte address) : VirtualEndpoint(address)
    {
        protected override void OnSubmit(VirtualUrb urb)
        {
            account.Take(urb.Buffer);
            urb.Accept();
        }
    }
}
