using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using Native.LibUsb.Streaming;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Streaming;

/// <summary>
/// Tests the metrics of rings. Until a ring is disposed or collected, the metrics must have the correct numbers and tags. The metrics must not allocate memory
/// on the event thread.
/// </summary>
public sealed class RingMetricsTests : RingTest
{
    private const int Setting = 2, PacketSize = 1024;
    private static int s_rings;

    // The name distinguishes the ring from the rings of other tests.
    private readonly string _name = $"ring {Interlocked.Increment(ref s_rings)} of the test";

    [BusFact]
    public async Task A_bulk_ring_publishes_its_counters()
    {
        var loopback = new BulkLoopback();
        UsbDeviceHandle handle = Open(loopback);
        VirtualEndpoint input = loopback.Endpoint(BulkLoopback.InAddress);
        using var listener = new Listener(_name);
        await using UsbInputRing ring = InputRing(handle, BulkLoopback.InAddress,
            new UsbRingOptions { TransferSize = 512, Transfers = 4, Spares = 2, Name = _name, Stall = UsbRingStall.ClearHalt, ErrorLimit = 10 });
        Assert.False(listener.SeesRing()); // the ring has not been started
        input.Hold();
        ring.Start();
        Assert.True(input.WaitForPending(4, Patience));
        Assert.Equal(4, listener.Collect()["usb.ring.transfer.in_flight"]);

        foreach (VirtualUrb urb in input.Pending.Take(2))
            urb.CompleteWith(new byte[100]);
        input.Pending[0].Complete(UrbStatus.Protocol);
        Assert.True(SpinWait.SpinUntil(() => ring.GetStatistics().LowestInFlight == 3, Patience)); // the ring updates this number last
        Dictionary<string, double> seen = listener.Collect();
        Assert.Equal(3, seen["usb.ring.transfers"]);
        Assert.Equal(200, seen["usb.ring.io"]);
        Assert.Equal(1, seen["usb.ring.transfer.errors error"]);
        Assert.Equal(0, seen["usb.ring.transfer.errors stall"]);
        Assert.Equal(3, seen["usb.ring.transfer.in_flight"]); // three of the six buffers wait for a reader
        Assert.Equal(3, seen["usb.ring.transfer.in_flight_lowest"]);
        Assert.InRange(seen["usb.ring.callback.longest"], double.Epsilon, ring.GetStatistics().LongestCallback.TotalSeconds); // the last callback may end between the two calls
        Assert.DoesNotContain("usb.ring.packets", seen.Keys);

        input.Pending[0].Complete(UrbStatus.Stall);
        while (ring.GetStatistics().Recoveries == 0)
            await Task.Yield();
        seen = listener.Collect();
        Assert.Equal(1, seen["usb.ring.transfer.errors stall"]);
        Assert.Equal(1, seen["usb.ring.recoveries"]);
        Assert.Equal(
            $"usb.bus.number={handle.Device.BusNumber} usb.device.address={handle.Device.Address} usb.endpoint.address=0x82 usb.ring.name={_name}",
            listener.TagsOf("usb.ring.transfers"));
    }

    [BusFact]
    public async Task An_isochronous_ring_publishes_its_packets()
    {
        var source = new IsoSource(new IsoSourceOptions { Paced = false });
        UsbDeviceHandle handle = Open(source);
        handle.ClaimInterface(0).SetAlternateSetting(Setting);
        source.Source.FaultAt(3, new IsoFault(UrbStatus.Protocol));
        source.Source.FaultAt(9, new IsoFault(UrbStatus.Overflow, PacketSize));
        using var listener = new Listener(_name);
        await using UsbInputRing ring = InputRing(handle, IsoSource.EndpointAddress,
            new UsbRingOptions { PacketsPerTransfer = 8, Transfers = 2, Spares = 4, Name = _name }, Setting);
        ring.Start();
        while (ring.GetStatistics().Dropped.Transfers < 10) // no thread reads
            await Task.Yield();
        await ring.StopAsync();
        UsbRingStatistics statistics = ring.GetStatistics();
        Dictionary<string, double> seen = listener.Collect();
        Assert.Equal(statistics.Packets, seen["usb.ring.packets"]);
        Assert.Equal(statistics.Bytes, seen["usb.ring.io"]);
        Assert.Equal(1, seen["usb.ring.packet.errors error"]);
        Assert.Equal(1, seen["usb.ring.packet.errors overflow"]);
        Assert.Equal(statistics.LostPackets, seen["usb.ring.packet.lost"]);
        Assert.True(seen["usb.ring.packet.lost"] >= 82);
        Assert.Equal(statistics.Dropped.Transfers, seen["usb.ring.transfer.dropped"]);
        Assert.Equal(0, seen["usb.ring.transfer.in_flight"]);
    }

    [BusFact]
    public async Task A_ring_that_writes_publishes_its_under_runs()
    {
        var loopback = new BulkLoopback();
        using var listener = new Listener(_name);
        await using UsbOutputRing ring = OutputRing(Open(loopback), BulkLoopback.OutAddress, new UsbRingOptions { TransferSize = 512, Name = _name });
        ring.Start();
        for (int i = 0; i < 3; i++)
        {
            using (UsbOutputBuffer buffer = await ring.AcquireAsync())
                buffer.Commit(10);
            await ring.FlushAsync();
        }

        Dictionary<string, double> seen = listener.Collect();
        Assert.Equal(3, seen["usb.ring.underruns"]);
        Assert.Equal(30, seen["usb.ring.io"]);
        Assert.Contains("usb.endpoint.address=0x02", listener.TagsOf("usb.ring.io"), StringComparison.Ordinal);
    }

    [BusFact]
    public async Task Counters_continue_when_a_ring_is_started_again_and_end_when_it_is_disposed()
    {
        var loopback = new BulkLoopback();
        UsbDeviceHandle handle = Open(loopback);
        using var listener = new Listener(_name);
        UsbInputRing ring = InputRing(handle, BulkLoopback.InAddress, new UsbRingOptions { Transfers = 3, Name = _name });
        for (int i = 1; i <= 2; i++)
        {
            ring.Start();
            await ring.StopAsync();
            Assert.Equal(3 * i, listener.Collect()["usb.ring.transfers"]); // a stopped ring is published too
        }

        await ring.DisposeAsync();
        Assert.False(listener.SeesRing());

        // The counters of the next ring start at 0.
        UsbInputRing next = InputRing(handle, BulkLoopback.InAddress, new UsbRingOptions { Transfers = 2, Name = _name });
        next.Start();
        Assert.Equal(0, listener.Collect()["usb.ring.transfers"]);
        handle.Dispose(); // the ring itself is not disposed
        Assert.False(listener.SeesRing());
        next.Dispose();
    }

    [BusFact]
    public void A_forgotten_ring_is_not_kept_alive()
    {
        UsbDeviceHandle handle = Open(new BulkLoopback());
        using var listener = new Listener(_name);
        WeakReference ring = StartStopAndForget(handle, listener);
        long end = Environment.TickCount64 + (long)Patience.TotalMilliseconds;
        while (ring.IsAlive)
        {
            Assert.True(Environment.TickCount64 < end, "The ring is still referenced.");
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.False(listener.SeesRing());
        GC.KeepAlive(handle);
    }

    [BusTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_event_thread_allocates_nothing_for_metrics(bool collected)
    {
        UsbDeviceHandle handle = Open(new IsoSource(new IsoSourceOptions { Paced = false }));
        handle.ClaimInterface(0).SetAlternateSetting(Setting);
        using Listener? listener = collected ? new Listener(_name) : null;
        await using UsbInputRing ring = InputRing(handle, IsoSource.EndpointAddress, new UsbRingOptions { PacketsPerTransfer = 8, Transfers = 4, Name = _name }, Setting);
        var run = new Run();
        ring.State = run;
        ring.Start<Measure>();
        while (!run.Done.Task.IsCompleted)
        {
            if (listener is not null)
                Assert.Equal(13 + 8, listener.Collect().Count); // 13 instruments, two of which have a value for each of five kinds of errors
            await Task.Yield();
        }

        Assert.Equal(0, run.Meter.Least);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private WeakReference StartStopAndForget(UsbDeviceHandle handle, Listener listener)
    {
        UsbInputRing ring = InputRing(handle, BulkLoopback.InAddress, new UsbRingOptions { Name = _name });
        ring.Start();
        ring.StopAsync().GetAwaiter().GetResult();
        Assert.True(listener.SeesRing());
        return new WeakReference(ring);
    }

    private sealed class Run
    {
        public readonly AllocationMeter Meter = new();
        public int Rounds;
        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private readonly struct Measure : IUsbInputHandler
    {
        private static readonly int s_stretch = Rounds.Of(1_000);

        public static void OnBuffer(UsbInputBuffer buffer)
        {
            var run = (Run)buffer.Ring.State!;
            run.Rounds++;
            if (run.Rounds == 1)
                run.Meter.Resume();
            if (run.Rounds % s_stretch != 0 || run.Meter.Ended == AllocationMeter.Stretches)
                return;
            run.Meter.Pause();
            run.Meter.EndStretch();
            if (run.Meter.Ended == AllocationMeter.Stretches)
                run.Done.SetResult();
            run.Meter.Resume();
        }
    }

    /// <summary>Collects the measurements of one ring.</summary>
    private sealed class Listener : IDisposable
    {
        private readonly string _ring;
        private readonly MeterListener _listener = new();
        private readonly Dictionary<string, double> _values = [];
        private readonly Dictionary<string, string> _tags = [];

        public Listener(string ring)
        {
            _ring = ring;
            _listener.InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Meter.Name == UsbRingMetrics.MeterName)
                    listener.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
            _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
            _listener.Start();
        }

        /// <summary>Returns the current values by instrument and kind of error.</summary>
        public Dictionary<string, double> Collect()
        {
            _values.Clear();
            _listener.RecordObservableInstruments();
            return new(_values);
        }

        /// <summary>Returns whether the ring publishes any value.</summary>
        public bool SeesRing() => Collect().Count > 0;

        /// <summary>Returns the sorted tags of an instrument's last value.</summary>
        public string TagsOf(string instrument) => _tags[instrument];

        public void Dispose() => _listener.Dispose();

        private void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            KeyValuePair<string, object?>[] all = tags.ToArray();
            if (!all.Any(tag => tag.Key == "usb.ring.name" && Equals(tag.Value, _ring)))
                return;
            string key = instrument.Name + string.Concat(all.Where(tag => tag.Key == "error.type").Select(tag => $" {tag.Value}"));
            Assert.True(_values.TryAdd(key, value), $"{key} was measured twice.");
            _tags[key] = string.Join(' ', all.OrderBy(tag => tag.Key, StringComparer.Ordinal).Select(tag => $"{tag.Key}={tag.Value}"));
        }
    }
}
