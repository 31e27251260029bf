using System.Diagnostics.CodeAnalysis;
using System.Diagnostics.Metrics;
using System.Globalization;
using Native.LibUsb.Interop;

namespace Native.LibUsb.Streaming;

/// <summary>
/// Publishes the values of <see cref="UsbRingStatistics"/> for all rings as metrics of .NET (<see cref="System.Diagnostics.Metrics"/>). The class reads the
/// values when a listener collects them. Without a listener, the class does nothing and allocates nothing.
/// </summary>
/// <remarks>
/// <list type="table">
/// <listheader><term>Instrument</term><description>Kind, unit and meaning</description></listheader>
/// <item><term><c>usb.ring.transfers</c></term><description>counter, <c>{transfer}</c>: transfers that ended.</description></item>
/// <item><term><c>usb.ring.io</c></term><description>counter, <c>By</c>: bytes that moved.</description></item>
/// <item><term><c>usb.ring.transfer.errors</c></term><description>counter, <c>{transfer}</c>: transfers that failed, by <c>error.type</c>.</description></item>
/// <item><term><c>usb.ring.transfer.dropped</c></term><description>counter, <c>{transfer}</c>: transfers whose data the ring discarded because the reader was
/// late.</description></item>
/// <item><term><c>usb.ring.transfer.refused</c></term><description>counter, <c>{transfer}</c>: submissions that libusb refused.</description></item>
/// <item><term><c>usb.ring.transfer.in_flight</c></term><description>up-down counter, <c>{transfer}</c>: transfers in flight.</description></item>
/// <item><term><c>usb.ring.transfer.in_flight_lowest</c></term><description>gauge, <c>{transfer}</c>: the lowest number of transfers in flight since the ring
/// was last started.</description></item>
/// <item><term><c>usb.ring.packets</c></term><description>counter, <c>{packet}</c>: good isochronous packets.</description></item>
/// <item><term><c>usb.ring.packet.errors</c></term><description>counter, <c>{packet}</c>: isochronous packets that failed, by
/// <c>error.type</c>.</description></item>
/// <item><term><c>usb.ring.packet.lost</c></term><description>up-down counter, <c>{packet}</c>: <see cref="UsbRingStatistics.LostPackets"/>. The number
/// includes missed intervals, which the ring estimates by comparing clocks. The ring may therefore reduce the number later.</description></item>
/// <item><term><c>usb.ring.underruns</c></term><description>counter, <c>{underrun}</c>: how often an output ring had nothing in flight.</description></item>
/// <item><term><c>usb.ring.recoveries</c></term><description>counter, <c>{recovery}</c>: halts that were cleared.</description></item>
/// <item><term><c>usb.ring.callback.longest</c></term><description>gauge, <c>s</c>: the longest callback.</description></item>
/// </list>
/// <para>The tags are <c>usb.ring.name</c> (<see cref="UsbRing.Name"/>), <c>usb.endpoint.address</c> (such as <c>0x81</c>), <c>usb.bus.number</c> and
/// <c>usb.device.address</c>. A ring on a bulk stream also has <c>usb.stream.id</c>. The tag <c>error.type</c> is <c>error</c>, <c>timed_out</c>, <c>stall</c>,
/// <c>no_device</c> or <c>overflow</c>. Only isochronous rings report values for the instruments whose unit is <c>{packet}</c>.</para>
/// <para>A ring appears in the metrics from its first start until the ring or its device handle is disposed. The metrics do not keep the ring alive. A ring's
/// counters never decrease, and they disappear with the ring. If the program later starts another ring with the same tags, the counters of that ring begin at
/// 0. Metrics backends treat this as a restart of the counters.</para>
/// <para>The project property <c>MetricsSupport=false</c> turns off all metrics of .NET. A trimmed program with this property does not contain this
/// class.</para>
/// </remarks>
public static class UsbRingMetrics
{
    /// <summary>The name of the meter to subscribe to, which is <c>Native.LibUsb</c>.</summary>
    public const string MeterName = "Native.LibUsb";

    private static readonly List<Entry> s_entries = [];
    private static Meter? s_meter;
    private static bool s_published;

    /// <summary>
    /// Gets whether .NET's switch for metrics is on. If a program is trimmed and the switch is off, the trimmer removes the other members of this class.
    /// </summary>
    [FeatureSwitchDefinition("System.Diagnostics.Metrics.Meter.IsSupported")]
    internal static bool IsSupported => !AppContext.TryGetSwitch("System.Diagnostics.Metrics.Meter.IsSupported", out bool isSupported) || isSupported;

    /// <summary>Adds a ring that is being started.</summary>
    internal static void Add(UsbRing ring)
    {
        bool known = false;
        lock (s_entries)
        {
            for (int i = s_entries.Count - 1; i >= 0; i--)
            {
                UsbRing? other = s_entries[i].Ring;
                known |= other == ring;
                if (other is null)
                    s_entries.RemoveAt(i);
            }

            if (!known)
                s_entries.Add(new Entry(ring));
        }

        // When this method publishes the meter, .NET calls listeners, and a listener may start a ring. The method therefore publishes the meter after it has
        // released the lock, and not in a type initializer, so that no other thread waits for a listener. .NET refers to the meter until the meter is disposed.
        // Until then, the load context of this assembly cannot unload. The library therefore disposes the meter when the load context begins to unload.
        if (!Interlocked.Exchange(ref s_published, true) && LoadContextUnloading.TryRegister(static () => Volatile.Read(ref s_meter)?.Dispose()))
        {
            Volatile.Write(ref s_meter, Publish());
            if (LoadContextUnloading.HasBegun) // unloading began while the meter was published
                s_meter?.Dispose();
        }
    }

    private static Meter Publish()
    {
        var meter = new Meter(MeterName);
        meter.CreateObservableCounter("usb.ring.transfers", static () => Read(static s => s.Completions), "{transfer}", "Transfers that ended.");
        meter.CreateObservableCounter("usb.ring.io", static () => Read(static s => s.Bytes), "By", "Bytes that moved.");
        meter.CreateObservableCounter("usb.ring.transfer.errors", static () => ReadFailures(static s => s.Transfers), "{transfer}", "Transfers that failed.");
        meter.CreateObservableCounter("usb.ring.transfer.dropped", static () => Read(static s => s.Dropped.Transfers), "{transfer}", "Transfers whose data the ring dropped because the reader was too slow.");
        meter.CreateObservableCounter("usb.ring.transfer.refused", static () => Read(static s => s.SubmitFailures), "{transfer}", "Submissions that libusb refused.");
        meter.CreateObservableUpDownCounter("usb.ring.transfer.in_flight", static () => Read<long>(static s => s.InFlight), "{transfer}", "Transfers in flight.");
        meter.CreateObservableGauge("usb.ring.transfer.in_flight_lowest", static () => Read<long>(static s => s.LowestInFlight), "{transfer}", "The lowest number of transfers in flight since the ring was last started.");
        meter.CreateObservableCounter("usb.ring.packets", static () => Read(static s => s.Packets, isochronous: true), "{packet}", "Good isochronous packets.");
        meter.CreateObservableCounter("usb.ring.packet.errors", static () => ReadFailures(static s => s.PacketStatuses, isochronous: true), "{packet}", "Isochronous packets that failed.");
        meter.CreateObservableUpDownCounter("usb.ring.packet.lost", static () => Read(static s => s.LostPackets, isochronous: true), "{packet}", "Isochronous packets that did not reach the program.");
        meter.CreateObservableCounter("usb.ring.underruns", static () => Read(static s => s.Underruns), "{underrun}", "The number of times at which an output ring had nothing in flight.");
        meter.CreateObservableCounter("usb.ring.recoveries", static () => Read(static s => s.Recoveries), "{recovery}", "Endpoint halts that the ring cleared.");
        meter.CreateObservableGauge("usb.ring.callback.longest", static () => Read(static s => s.LongestCallback.TotalSeconds), "s", "The longest callback.");
        return meter;
    }

    private static List<Measurement<T>> Read<T>(Func<UsbRingStatistics, T> value, bool isochronous = false)
        where T : struct
    {
        var measurements = new List<Measurement<T>>();
        foreach ((UsbRing ring, KeyValuePair<string, object?>[] tags) in Living(isochronous))
            measurements.Add(new Measurement<T>(value(ring.GetStatistics()), tags));
        return measurements;
    }

    private static List<Measurement<long>> ReadFailures(Func<UsbRingStatistics, UsbStatusCounts> counts, bool isochronous = false)
    {
        var measurements = new List<Measurement<long>>();
        foreach ((UsbRing ring, KeyValuePair<string, object?>[] tags) in Living(isochronous))
        {
            UsbStatusCounts count = counts(ring.GetStatistics());
            Add("error", count.Error);
            Add("timed_out", count.TimedOut);
            Add("stall", count.Stall);
            Add("no_device", count.NoDevice);
            Add("overflow", count.Overflow);

            void Add(string type, long value) => measurements.Add(new Measurement<long>(value, [.. tags, new("error.type", type)]));
        }

        return measurements;
    }

    private static List<(UsbRing Ring, KeyValuePair<string, object?>[] Tags)> Living(bool isochronous)
    {
        var living = new List<(UsbRing, KeyValuePair<string, object?>[])>();
        lock (s_entries)
        {
            foreach (Entry entry in s_entries)
            {
                if (entry.Ring is { } ring && (!isochronous || ring.Configuration.IsIsochronous))
                    living.Add((ring, entry.Tags ??= TagsOf(ring)));
            }
        }

        return living;
    }

    private static KeyValuePair<string, object?>[] TagsOf(UsbRing ring)
    {
        List<KeyValuePair<string, object?>> tags =
        [
            new("usb.ring.name", ring.Name),
            new("usb.endpoint.address", string.Create(CultureInfo.InvariantCulture, $"0x{ring.Endpoint:x2}")),
            new("usb.bus.number", (int)ring.Handle.Device.BusNumber),
            new("usb.device.address", (int)ring.Handle.Device.Address),
        ];
        if (ring.Configuration.Options.StreamId != 0)
            tags.Add(new("usb.stream.id", ring.Configuration.Options.StreamId));
        return [.. tags];
    }

    /// <summary>Represents a ring that was started. The entry does not keep the ring alive.</summary>
    private sealed class Entry(UsbRing ring)
    {
        private readonly WeakReference<UsbRing> _ring = new(ring);

        /// <summary>Gets the ring; null if the ring was garbage-collected or disposed, or if its handle is disposed.</summary>
        public UsbRing? Ring => _ring.TryGetTarget(out UsbRing? ring) && !ring.Engine.IsReleased && !ring.Handle.IsClosed ? ring : null;

        /// <summary>Gets or sets the tags of the ring's measurements; null before the first collection.</summary>
        public KeyValuePair<string, object?>[]? Tags { get; set; }
    }
}
