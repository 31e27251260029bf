using Native.LibUsb.Streaming;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Faults;

/// <summary>Checks each buffer of a ring that reads numbered packets from a bulk endpoint.</summary>
internal sealed class BulkReadAccount(FaultLedger ledger, long target, int transferSize, int packetSize) : RingAccount(ledger, target)
{
    private long _next; // the packet that the device sends next
    private long _nextUrb;
    private bool _halted;

    /// <summary>Gets the number of packets that the device has sent. The number is computed from the buffers and the recorded faults.</summary>
    public long SentPackets => _next;

    public long DeliveredBytes { get; private set; }

    public long Failed { get; private set; }

    public void Take(UsbInputBuffer buffer)
    {
        long urb = buffer.Sequence;
        Expect(urb >= _nextUrb, $"URB {urb} comes after {_nextUrb - 1}.");
        SkipTo(urb);
        _nextUrb = urb + 1;
        ReadOnlySpan<byte> data = buffer.Data;
        DeliveredBytes += data.Length;
        if (buffer.Status is not (UsbTransferStatus.Completed or UsbTransferStatus.Canceled))
            Failed++;
        if (Ledger.TakeUrb(urb) is { } fault)
            TakeFaulty(buffer.Status, data, fault);
        else
            TakeGood(urb, buffer.Status, data);
        Count();
    }

    /// <summary>Accounts for the URBs that were cancelled without data before the ring stopped for the last time.</summary>
    public void Finish(long submitted) => SkipTo(submitted);

    private void TakeGood(long urb, UsbTransferStatus status, ReadOnlySpan<byte> data)
    {
        _halted &= status != UsbTransferStatus.Completed;
        bool expected = status switch
        {
            UsbTransferStatus.Completed => data.Length == transferSize,
            UsbTransferStatus.Canceled => data.Length is 0 || data.Length == transferSize, // the data had arrived when the ring was stopped
            UsbTransferStatus.Stall => _halted && data.IsEmpty,
            _ => false,
        };
        Expect(expected, $"URB {urb} ended with {status} after {data.Length} bytes, and no fault is recorded.");
        TakeData(data);
    }

    private void TakeFaulty(UsbTransferStatus status, ReadOnlySpan<byte> data, in InjectedFault fault)
    {
        _halted = fault.Status == UrbStatus.Stall;
        Expect(status == StatusOf(fault.Status) || status == UsbTransferStatus.Canceled, $"The status is {status}: {fault}");
        Expect(data.Length == fault.Moved, $"{data.Length} bytes were delivered: {fault}");
        if (fault.Kind == FaultKind.Duplicate)
        {
            TakeRepeated(data, fault);
            return;
        }

        TakeData(data);
        _next += fault.Lost / packetSize;
    }

    private void TakeRepeated(ReadOnlySpan<byte> data, in InjectedFault fault)
    {
        if (data.IsEmpty)
            return;
        long after = _next;
        _next = (long)NumberedPattern.ReadNumber(data);
        TakeData(data);
        Expect(_next <= after, $"The device repeats packets up to {_next}, and has sent {after}: {fault}");
        _next = after;
    }

    private void TakeData(ReadOnlySpan<byte> data)
    {
        for (; data.Length >= packetSize; data = data[packetSize..])
        {
            int wrong = NumberedPattern.CountMismatches(data[..packetSize], (ulong)_next);
            Expect(wrong == 0, $"{wrong} bytes of packet {_next} are wrong; its number is {NumberedPattern.ReadNumber(data)}.");
            _next++;
        }

        Expect(data.IsEmpty, $"A packet has {data.Length} bytes.");
    }

    // If a URB is cancelled before any data has arrived, the ring does not deliver a buffer for this URB. The device may nevertheless have sent data for this
    // URB. In that case, the data was lost.
    private void SkipTo(long urb)
    {
        for (; _nextUrb < urb; _nextUrb++)
        {
            if (Ledger.TakeUrb(_nextUrb) is not { } fault)
                continue;
            Expect(fault.Moved == 0, $"Bytes of an undelivered URB are recorded as moved: {fault}");
            _next += fault.Lost / packetSize;
        }
    }
}
