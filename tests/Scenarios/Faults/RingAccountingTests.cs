using System.Globalization;
using Native.LibUsb.Streaming;
using Native.LibUsb.Testing;
using Native.LibUsb.Tests.Streaming;

namespace Native.LibUsb.Tests.Faults;

/// <summary>
/// Tests rings on endpoints with random faults. The delivered data and the lost data must add up to the sent data. Each loss must match a recorded fault. All
/// data that the ring reports as good must be correct. When the device leaves a transfer unanswered, the test stops the ring and starts it again.
/// </summary>
/// <remarks>
/// By default, the tests run 10,000 transfers. In eng/long-test.sh, they run 1,000,000 transfers. To repeat a run, set NATIVE_LIBUSB_TEST_SEED to the seed of
/// this run.
/// </remarks>
[PreloadOnly(KernelLimits.Faults)]
public sealed class RingAccountingTests : IDisposable
{
    private const int UsualTransfers = 2500; // for each of the four rings
    private const int PacketSize = 512, Packets = 8, TransferSize = 4 * PacketSize, Setting = 1;

    private readonly VirtualBus _bus;
    private readonly UsbContext _context;
    private readonly RandomSteps _steps = new("Ring accounting", Rounds.Of(UsualTransfers));
    private readonly Watchdog _watchdog;

    public RingAccountingTests()
    {
        _watchdog = new Watchdog(60 + (_steps.Steps * 0.004), "ring accounting");
        _bus = TestBus.CreateFor(this);
        _context = new UsbContext();
        _context.StartEventThread();
    }

    public void Dispose()
    {
        TestBus.Disposed(this);
        _context.Dispose();
        _bus.Dispose();
        _watchdog.Dispose();
    }

    [BusFact]
    public async Task A_bulk_ring_that_reads_loses_bytes_only_to_recorded_faults()
    {
        FaultPlan plan = FaultMix.ForBulk(_steps.Seed);
        var ledger = new FaultLedger(plan, BulkSourceSink.InAddress);
        var device = new BulkSourceSink { Faults = plan };
        using UsbDeviceHandle handle = Open(device);
        UsbInputRing ring = handle.At(BulkSourceSink.InAddress).CreateInputRing(Options);
        var account = new BulkReadAccount(ledger, _steps.Steps, TransferSize, PacketSize);
        await Run(ring, () => ring.Start(account.Take), account, ledger);
        account.Finish(device.Endpoint(BulkSourceSink.InAddress).Submitted);

        account.Check();
        Report(plan, account);
        UsbRingStatistics statistics = ring.GetStatistics();
        Assert.Equal(device.SentPackets, account.SentPackets);
        Assert.Equal(device.SentPackets * PacketSize, account.DeliveredBytes - ledger.RepeatedBytes + ledger.LostBytes);
        Assert.Equal(account.DeliveredBytes, statistics.Bytes);
        Assert.Equal(account.Failed, statistics.Transfers.Failed);
        Assert.Equal(ledger.Refusals, statistics.SubmitFailures);
        Assert.Equal(0, ledger.Left);
        await ring.DisposeAsync();
    }

    [BusFact]
    public async Task A_bulk_ring_that_writes_loses_no_bytes()
    {
        FaultPlan plan = FaultMix.ForBulk(_steps.Seed);
        var ledger = new FaultLedger(plan, BulkSourceSink.OutAddress);
        var account = new BulkWriteAccount(ledger, _steps.Steps, TransferSize, PacketSize);
        var device = new BulkSourceSink { Faults = plan };
        device.Add(account.MakeEndpoint(BulkSourceSink.OutAddress));
        using UsbDeviceHandle handle = Open(device);
        UsbOutputRing ring = handle.At(BulkSourceSink.OutAddress).CreateOutputRing(Options);
        await Run(ring, () => ring.Start(account.Fill), account, ledger);
        await Flush(ring, plan);
        account.Finish();

        account.Check();
        Report(plan, account);
        UsbRingStatistics statistics = ring.GetStatistics();
        Assert.Equal(0, ledger.LostBytes);
        Assert.Equal(account.CommittedBytes, account.TakenBytes - ledger.RepeatedBytes);
        Assert.Equal(account.CommittedBytes, statistics.Bytes);
        Assert.Equal(ledger.Refusals, statistics.SubmitFailures);
        await ring.DisposeAsync();
    }

    [BusFact]
    public async Task An_isochronous_ring_that_reads_loses_packets_only_to_recorded_faults()
    {
        FaultPlan plan = FaultMix.ForIsochronous(_steps.Seed);
        var ledger = new FaultLedger(plan, IsoSource.EndpointAddress);
        var device = new IsoSource(new IsoSourceOptions { Paced = false }) { Faults = plan };
        using UsbDeviceHandle handle = Open(device);
        handle.ClaimInterface(0).SetAlternateSetting(Setting);
        UsbInputRing ring = handle.At(IsoSource.EndpointAddress).CreateInputRing(IsoOptions);
        var account = new IsoReadAccount(ledger, _steps.Steps, Packets, PacketSize);
        await Run(ring, () => ring.Start(account.Take), account, ledger);
        account.Finish(device.Source.Submitted, device.Source.SentPackets);

        account.Check();
        Report(plan, account);
        UsbRingStatistics statistics = ring.GetStatistics();
        Assert.Equal(device.Source.SentPackets, account.DeliveredPackets + account.LostPackets);
        Assert.Equal(device.Source.SentPackets * PacketSize, statistics.Bytes + ledger.LostBytes);
        Assert.Equal(account.DeliveredPackets, statistics.Packets - statistics.EmptyPackets);
        Assert.Equal(ledger.Refusals, statistics.SubmitFailures);
        Assert.Equal(0, ledger.Left);
        await ring.DisposeAsync();
    }

    [BusFact]
    public async Task An_isochronous_ring_that_writes_loses_packets_only_to_recorded_faults()
    {
        FaultPlan plan = FaultMix.ForIsochronous(_steps.Seed);
        var ledger = new FaultLedger(plan, IsoSink.EndpointAddress);
        var account = new IsoWriteAccount(ledger, _steps.Steps, Packets, PacketSize);
        var device = new IsoSink(new IsoSinkOptions { Paced = false }) { Faults = plan };
        device.Sink.PacketTaken = account.Take;
        using UsbDeviceHandle handle = Open(device);
        handle.ClaimInterface(0).SetAlternateSetting(Setting);
        UsbOutputRing ring = handle.At(IsoSink.EndpointAddress).CreateOutputRing(IsoOptions);
        await Run(ring, () => ring.Start(account.Fill), account, ledger);
        await Flush(ring, plan);
        account.Finish();

        account.Check();
        Report(plan, account);
        UsbRingStatistics statistics = ring.GetStatistics();
        Assert.Equal(account.CommittedPackets, account.TakenPackets + account.LostPackets);
        int urbs = plan.Faults.Count(static fault => fault.Kind is FaultKind.Status or FaultKind.Never);
        int packets = plan.Faults.Count(static fault => fault.Kind == FaultKind.Packets);
        Assert.Equal((urbs * Packets) + packets, account.LostPackets);
        Assert.Equal(account.TakenPackets * PacketSize, statistics.Bytes);
        Assert.Equal(ledger.Refusals, statistics.SubmitFailures);
        await ring.DisposeAsync();
    }

    private static UsbRingOptions Options => new()
    {
        TransferSize = TransferSize,
        Transfers = 8,
        Spares = 4,
        Stall = UsbRingStall.ClearHalt,
        ErrorLimit = int.MaxValue,
    };

    private static UsbRingOptions IsoOptions => new()
    {
        PacketSize = PacketSize,
        PacketsPerTransfer = Packets,
        Transfers = 8,
        Spares = 4,
        ErrorLimit = int.MaxValue,
        Timestamps = false, // an unpaced device does not follow the time of a bus
    };

    private UsbDeviceHandle Open(VirtualDevice device)
    {
        _bus.Attach(device);
        using UsbDevice found = _context.FindDevice(device.Description.VendorId, device.Description.ProductId)!;
        UsbDeviceHandle handle = found.Open();
        handle.ClaimInterface(0);
        return handle;
    }

    /// <summary>
    /// Runs the ring until enough transfers have ended. Restarts the ring each time a fault has stopped it or has left a transfer unanswered.
    /// </summary>
    private static async Task Run(UsbRing ring, Action start, RingAccount account, FaultLedger ledger)
    {
        while (!account.Enough.IsCompleted)
        {
            ledger.ListenAgain();
            try
            {
                start();
            }
            catch (UsbException) when (!ring.IsRunning)
            {
                // The system refused every submission.
            }

            await Task.WhenAny(ring.Completion, ledger.Silence, account.Enough);
            await ring.StopAsync();
        }
    }

    /// <summary>Clears the faults, and sends the committed data that the ring has not sent yet.</summary>
    private static async Task Flush(UsbOutputRing ring, FaultPlan plan)
    {
        plan.Clear();
        ring.Start();
        await ring.FlushAsync();
        await ring.StopAsync();
        Assert.Equal(0, ring.UnsentBytes);
    }

    private static void Report(FaultPlan plan, RingAccount account)
    {
        IEnumerable<string> kinds = plan.Faults.GroupBy(static fault => fault.Kind).OrderBy(static group => group.Key)
            .Select(static group => string.Create(CultureInfo.InvariantCulture, $"{group.Key} {group.Count()}"));
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{account.GetType().Name}: {account.Transfers} transfers, faults: {string.Join(", ", kinds)}"));
    }
}
