using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Faults;

/// <summary>Tests faults of isochronous packets and URBs. The tests check how a fault affects the program, and what the device's fault plan records.</summary>
[PreloadOnly(KernelLimits.Faults)]
public sealed class IsoFaultTests : BusTest
{
    private const int Setting = 1, PacketSize = 512, Packets = 16;
    private const string Pattern = ".mpcboe.";

    private static readonly Dictionary<char, (UrbStatus Recorded, UsbTransferStatus Seen)> s_statuses = new()
    {
        ['m'] = (UrbStatus.Missed, UsbTransferStatus.Error),
        ['p'] = (UrbStatus.Protocol, UsbTransferStatus.Error),
        ['c'] = (UrbStatus.Checksum, UsbTransferStatus.Error),
        ['b'] = (UrbStatus.BufferOverrun, UsbTransferStatus.Error),
        ['o'] = (UrbStatus.Overflow, UsbTransferStatus.Overflow),
        ['e'] = (UrbStatus.Success, UsbTransferStatus.Completed),
    };

    private readonly FaultPlan _plan = new(seed: 1);

    [BusFact]
    public void A_pattern_repeats_over_the_packets_that_are_read()
    {
        _plan.Add(new FaultRule(FaultKind.Packets) { Endpoint = IsoSource.EndpointAddress, Pattern = Pattern });
        using UsbDeviceHandle handle = Open();
        using UsbTransfer transfer = handle.CreateTransfer(isoPackets: Packets);
        transfer.SetIsochronous(IsoSource.EndpointAddress, PacketSize);
        Run(transfer);
        int number = 0;
        foreach (UsbIsoPacket packet in transfer.IterIso())
        {
            char kind = Pattern[number % Pattern.Length];
            Assert.Equal(kind == '.' ? UsbTransferStatus.Completed : s_statuses[kind].Seen, packet.Status);
            Assert.Equal(kind == '.' ? PacketSize : 0, packet.ActualLength);
            if (kind == '.')
                Assert.Equal(0, NumberedPattern.CountMismatches(packet.Data, (ulong)number));
            number++;
        }

        CheckRecords();
    }

    [BusFact]
    public void A_pattern_repeats_over_the_packets_that_are_written()
    {
        _plan.Add(new FaultRule(FaultKind.Packets) { Pattern = Pattern });
        var sink = new IsoSink(new IsoSinkOptions { Paced = false }) { Faults = _plan };
        var taken = new List<(long Number, int Length)>();
        sink.Sink.PacketTaken = (number, data) => taken.Add((number, data.Length));
        using UsbDeviceHandle handle = Open(sink);
        handle.ClaimInterface(0).SetAlternateSetting(Setting);
        using UsbTransfer transfer = handle.CreateTransfer(isoPackets: Packets);
        transfer.SetIsochronous(IsoSink.EndpointAddress, PacketSize);
        Run(transfer);
        Assert.Equal($"0 {PacketSize}, 6 0, 7 {PacketSize}, 8 {PacketSize}, 14 0, 15 {PacketSize}", string.Join(", ", taken.Select(packet => $"{packet.Number} {packet.Length}")));
        CheckRecords();
    }

    [BusTheory]
    [InlineData(UrbStatus.Protocol, UsbTransferStatus.Error)]
    [InlineData(UrbStatus.Shutdown, UsbTransferStatus.NoDevice)]
    public void A_urb_fails_and_the_device_has_sent_nothing(UrbStatus status, UsbTransferStatus seen)
    {
        _plan.Add(new FaultRule(FaultKind.Status) { Status = status, First = 1, Limit = 1 });
        using UsbDeviceHandle handle = Open();
        using UsbTransfer transfer = handle.CreateTransfer(isoPackets: Packets);
        transfer.SetIsochronous(IsoSource.EndpointAddress, PacketSize);
        Run(transfer);
        AssertNumbers(transfer, 0);
        Run(transfer);
        Assert.Equal(seen, transfer.Status);
        foreach (UsbIsoPacket packet in transfer.IterIso())
            Assert.Equal(0, packet.ActualLength);
        Run(transfer);
        AssertNumbers(transfer, Packets);
        Assert.Equal((1L, -1L, status), (_plan.Faults[0].Urb, _plan.Faults[0].Packet, _plan.Faults[0].Status));
    }

    [BusFact]
    public void Urbs_are_late_overtaken_refused_and_never_answered()
    {
        _plan.Add(new FaultRule(FaultKind.Never) { First = 3, Limit = 1 })
            .Add(new FaultRule(FaultKind.Late) { First = 0, Limit = 1 })
            .Add(new FaultRule(FaultKind.Reorder) { First = 1, Limit = 1, Delay = Patience })
            .Add(new FaultRule(FaultKind.Refuse) { First = 4, Limit = 1, Error = 28 });
        using UsbDeviceHandle handle = Open();
        var order = new List<int>();
        var transfers = new UsbTransfer[4];
        for (int i = 0; i < transfers.Length; i++)
        {
            int number = i;
            transfers[i] = handle.CreateTransfer(isoPackets: Packets);
            transfers[i].SetIsochronous(IsoSource.EndpointAddress, PacketSize, _ => order.Add(number));
        }

        Run(transfers[0]);
        transfers[1].Submit();
        transfers[2].Submit();
        HandleEventsUntil(() => order.Count == 3);
        transfers[3].Submit();
        Assert.Equal(UsbError.IO, transfers[0].TrySubmit());
        Run(transfers[0]);
        transfers[3].Cancel();
        Finish(transfers[3]);
        Assert.Equal([0, 2, 1, 0, 3], order);
        AssertNumbers(transfers[1], Packets);
        AssertNumbers(transfers[2], 2 * Packets);
        AssertNumbers(transfers[0], 3 * Packets);
        Assert.Equal(UsbTransferStatus.Canceled, transfers[3].Status);
        Assert.Equal("Late, Reorder, Never, Refuse", string.Join(", ", _plan.Faults.Select(fault => fault.Kind)));
    }

    private UsbDeviceHandle Open()
    {
        UsbDeviceHandle handle = Open(new IsoSource(new IsoSourceOptions { Paced = false }) { Faults = _plan });
        handle.ClaimInterface(0).SetAlternateSetting(Setting);
        return handle;
    }

    private void Run(UsbTransfer transfer)
    {
        transfer.Submit();
        Finish(transfer);
    }

    private void CheckRecords()
    {
        IEnumerable<(long, UrbStatus)> expected = Enumerable.Range(0, Packets)
            .Where(static number => Pattern[number % Pattern.Length] != '.')
            .Select(static number => ((long)number, s_statuses[Pattern[number % Pattern.Length]].Recorded));
        Assert.Equal(string.Join(", ", expected), string.Join(", ", _plan.Faults.Select(fault => (fault.Packet, fault.Status))));
        Assert.All(_plan.Faults, fault => Assert.Equal((0, PacketSize), (fault.Moved, fault.Lost)));
    }

    private static void AssertNumbers(UsbTransfer transfer, ulong first)
    {
        Assert.Equal(UsbTransferStatus.Completed, transfer.Status);
        foreach (UsbIsoPacket packet in transfer.IterIso())
            Assert.Equal(0, NumberedPattern.CountMismatches(packet.Data, first++));
    }
}
