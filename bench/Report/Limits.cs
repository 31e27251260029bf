using System.Globalization;

namespace Native.LibUsb.Bench.Report;

/// <summary>Represents the limit of a measured number.</summary>
/// <param name="What">The name of the measured number.</param>
/// <param name="Measured">The measured number; null if this run did not measure it.</param>
/// <param name="Bound">The bound.</param>
/// <param name="AtLeast">Whether the bound is a lower bound.</param>
/// <param name="Unit">The unit of the number; empty for a ratio.</param>
/// <param name="Spread">The quartiles of the measurements; null for a number without noise.</param>
/// <param name="Gates">
/// Whether a run with <c>--gate</c> checks this limit. The value is false for limits that compare processor times with those of C, because other programs on
/// the same machine affect these times.
/// </param>
internal sealed record Limit(string What, double? Measured, double Bound, bool AtLeast, string Unit, Spread? Spread = null, bool Gates = true)
{
    /// <summary>Gets the bound with two or three decimals.</summary>
    public string BoundText => Bound.ToString("0.00#", CultureInfo.InvariantCulture);

    public bool IsKept => Measured is not { } value || (AtLeast ? value >= Bound : value <= Bound);
}

/// <summary>Lists the limits of the library's cost. <c>eng/bench.sh --gate</c> fails if a run exceeds a limit.</summary>
internal static class Limits
{
    private const string Iso = "iso-32-16", IsoShort = "iso-8-16", Bulk = "bulk-512-16";

    public static List<Limit> Of(Results results)
    {
        List<Limit> limits =
        [
            Time("AOT facade / C, processor time, iso of 32 packets, 16 in flight", Subjects.AotFacade, Iso, 1.05),
            Time("AOT facade / C, processor time, bulk 512 B, 16 in flight", Subjects.AotFacade, Bulk, 1.10),
            Time("AOT raw layer / C, processor time, iso of 32 packets, 16 in flight", Subjects.AotRaw, Iso, 1.03),
            Time("AOT raw layer / C, processor time, bulk 512 B, 16 in flight", Subjects.AotRaw, Bulk, 1.03),
            Time("AOT ring / C, processor time, bulk 512 B, 16 in flight", Subjects.AotRing, Bulk, 1.25),
            Time("AOT ring without timestamps / C, processor time, bulk 512 B, 16 in flight", Subjects.AotRingUntimed, Bulk, 1.15),
            Time("AOT ring / C, processor time, iso of 32 packets, 16 in flight", Subjects.AotRing, Iso, 1.18),
            Time("JIT facade / C, processor time, iso of 32 packets, 16 in flight", Subjects.JitFacade, Iso, 1.15),
            Time("JIT facade / C, processor time, bulk 512 B, 16 in flight", Subjects.JitFacade, Bulk, 1.15),
            Time("JIT ring / C, processor time, bulk 512 B, 16 in flight", Subjects.JitRing, Bulk, 1.25),
            Time("JIT ring / C, processor time, iso of 32 packets, 16 in flight", Subjects.JitRing, Iso, 1.20),
            Most("AOT raw layer / C, instructions, bulk 512 B, 16 in flight", Instructions(Subjects.AotRaw, Bulk), 1.037),
            Most("AOT raw layer / C, instructions, iso of 32 packets, 16 in flight", Instructions(Subjects.AotRaw, Iso), 1.005),
            Most("AOT facade / C, instructions, bulk 512 B, 16 in flight", Instructions(Subjects.AotFacade, Bulk), 1.09),
            Most("AOT facade / C, instructions, iso of 32 packets, 16 in flight", Instructions(Subjects.AotFacade, Iso), 1.07),
            Most("AOT ring / C, instructions, bulk 512 B, 16 in flight", Instructions(Subjects.AotRing, Bulk), 1.10),
            Most("AOT ring / C, instructions, iso of 32 packets, 16 in flight", Instructions(Subjects.AotRing, Iso), 1.11),
            Most("AOT ring / C, instructions, iso of 8 packets, 16 in flight", Instructions(Subjects.AotRing, IsoShort), 1.12),
            Least("python-libusb1 / AOT facade, processor time, bulk 512 B, 16 in flight", Against(Subjects.Python, Bulk), 10),
            Least("python-libusb1 (iterISO) / AOT facade (IterIso), processor time, iso of 32 packets, 16 in flight", Against(Subjects.Python, Iso), 40),
            .. results.Micro.Where(b => b.Subject == "IsoWalk" && b.Method == "IterIso" && b.ParametersText == "Packets 128")
                .Select(b => Most($"IterIso / libusb_get_iso_packet_buffer in C, 128 packets, {b.Job}", b.RatioToBaseline, 1)),
            .. results.Micro.Where(b => b.Subject == "IsoWalk" && b.Method == "IterIso" && b.ParametersText == "Packets 128")
                .Select(b => Most($"IterIso, a packet of 128 / a packet of 8, {b.Job}", b.MedianNanoseconds / Packet(results, b.Job, "Packets 8"), 1.2)),
            Most("bytes allocated by all AOT captures, on all threads", Allocated(results, isJit: false, static account => account.AllocatedByAll), 0, "bytes"),
            Most("bytes allocated by all JIT captures, on the threads that handle events", Allocated(results, isJit: true, static account => account.Allocated ?? 0), 0, "bytes"),
            .. from start in results.Starts where start.Name.StartsWith("aot", StringComparison.Ordinal)
               from limit in new[]
               {
                   Most($"{start.Title}: start to device list / C", start.RatioToC?.Median, 1.75) with { Spread = start.RatioToC },
                   Most($"{start.Title}: start to device list, more than C and more than the runtime takes", start.MoreThanEmpty?.Median, 1, "ms") with { Spread = start.MoreThanEmpty },
                   Most($"{start.Title}: executable", start.FileBytes / 1e6, 1.5, "MB"),
                   Most($"{start.Title}: resident", start.ResidentKib / 1024.0, 6, "MiB"),
               }
               select limit,
            Most("AOT facade, 64 in flight / 16 in flight", Grown(results, "in-flight", 16, 64), 1.2),
            Most("AOT facade, 16 devices / one device", Grown(results, "devices", 1, 16), 1.2),
        ];
        return limits;

        Limit Time(string what, Subject subject, string work, double bound)
        {
            Spread? ratio = results.Capture(subject, work)?.Ratio;
            return Most(what, ratio?.Median, bound) with { Spread = ratio, Gates = false };
        }

        double? Instructions(Subject subject, string work) => results.Instructions.FirstOrDefault(count => count.Subject == subject.Name && count.Work == work)?.Ratio;
        double? Against(Subject slow, string work) => results.Capture(slow, work)?.RatioToFacade?.Median;
    }

    private static Limit Most(string what, double? measured, double bound, string unit = "") => new(what, measured, bound, false, unit);

    private static Limit Least(string what, double? measured, double bound) => new(what, measured, bound, true, "");

    private static double? Packet(Results results, string job, string parameters) =>
        results.Micro.FirstOrDefault(b => b.Subject == "IsoWalk" && b.Method == "IterIso" && b.Job == job && b.ParametersText == parameters)?.MedianNanoseconds;

    // Threads of the just-in-time runtime sometimes allocate too.
    private static double? Allocated(Results results, bool isJit, Func<Account, long> allocated)
    {
        var managed = results.Captures.Where(m => m.Account.Allocated is not null && m.Subject.StartsWith("jit", StringComparison.Ordinal) == isJit).ToList();
        return managed.Count == 0 ? null : managed.Sum(m => allocated(m.Account));
    }

    private static double? Grown(Results results, string series, int from, int to)
    {
        GrowthSeries? growth = results.Growth.FirstOrDefault(growth => growth.Name == series);
        return At(to) / At(from);

        double? At(int number) => growth?.Points.FirstOrDefault(point => point.Number == number)?
            .Measurements.First(static m => m.Subject == Subjects.AotFacade.Name).Nanoseconds.Median;
    }
}
