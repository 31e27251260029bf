namespace Native.LibUsb.Bench.Report;

/// <summary>Lists the measurements of the short run and of the long one.</summary>
internal static class Plan
{
    // Each packet has only 32 bytes, so that the data of 16 transfers fits into the first-level cache. The benchmark then measures the work per packet, and not
    // the speed of the memory.
    private static readonly Work
        s_bulk = new("bulk", 512, 0, 16), s_bulkAlone = new("bulk", 512, 0, 1), s_large = new("bulk", 16384, 0, 16), s_largeAlone = new("bulk", 16384, 0, 1),
        s_iso8 = new("iso", 32, 8, 16), s_iso8Alone = new("iso", 32, 8, 1), s_iso32 = new("iso", 32, 32, 16), s_iso32Alone = new("iso", 32, 32, 1),
        s_sync = new("sync", 512, 0, 1);

    // The slices are short and numerous, because a processor changes its speed while these programs run.
    private static readonly TimeSpan s_slice = TimeSpan.FromMilliseconds(1.5);

    public static Work[] Works(bool quick) =>
        quick ? [s_bulk, s_iso32, s_sync] : [s_bulk, s_bulkAlone, s_large, s_largeAlone, s_iso8, s_iso8Alone, s_iso32, s_iso32Alone, s_sync];

    public static List<Measurement> Captures(bool quick)
    {
        List<Measurement> all = [];
        foreach (Work work in Works(quick))
        {
            // the programs with a limit are started more often
            InTurn inTurn = quick ? new(5, 60, s_slice) : new(work == s_bulk || work == s_iso32 ? 8 : 3, 100, s_slice);
            Progress($"capture: {work.Title}");
            all.AddRange(inTurn.Run([.. Programs(work, quick).Select(subject => (subject, work))], static _ => 0));
        }

        return all;
    }

    public static List<InstructionCount> CountInstructions(bool quick)
    {
        List<InstructionCount> counts = [];
        Subject[] subjects = quick ? [Subjects.C, Subjects.AotRaw, Subjects.AotFacade, Subjects.AotRing] : [Subjects.C, Subjects.AotRaw, Subjects.AotFacade, Subjects.AotDelegate, Subjects.AotRing];
        Work[] works = quick ? [s_bulk, s_iso8, s_iso32] : [s_bulk, s_large, s_iso8, s_iso32, s_sync];
        foreach (Work work in works)
        {
            Progress($"instructions: {work.Title}");
            counts.AddRange(Instructions.Count(
                subjects.Where(subject => work.Kind != "sync" || !subject.IsOnlyAsynchronous).Select(subject => (subject, work)), static subject => subject == Subjects.C));
        }

        return counts;
    }

    public static List<GrowthSeries> Grow(bool quick)
    {
        Subject[] subjects = quick ? [Subjects.C, Subjects.AotFacade] : [Subjects.C, Subjects.AotRaw, Subjects.AotFacade, Subjects.JitFacade];
        InTurn inTurn = new(2, quick ? 60 : 120, s_slice);
        List<GrowthSeries> series = [];
        foreach ((string name, string title, (int Number, Work Work)[] points) in Growth.Series(!quick))
        {
            Progress($"growth: {name}");
            series.Add(Growth.Measure(inTurn, name, title, points, subjects));
        }

        return series;
    }

    private static Subject[] Programs(Work work, bool quick)
    {
        Subject[] all = quick
            ? [Subjects.C, Subjects.AotRaw, Subjects.AotFacade, Subjects.AotRing, Subjects.AotRingUntimed, Subjects.JitFacade, Subjects.Python]
            :
            [
                Subjects.C, Subjects.CStatic, Subjects.AotRaw, Subjects.AotStaticRaw, Subjects.AotFacade, Subjects.AotStaticFacade, Subjects.AotDelegate, Subjects.AotRing,
                Subjects.AotRingUntimed, Subjects.JitRaw, Subjects.JitFacade, Subjects.JitDelegate, Subjects.JitRing, Subjects.Python,
            ];
        return work.Kind == "sync" ? [.. all.Where(static subject => !subject.IsOnlyAsynchronous)] : all;
    }

    private static void Progress(string what) => Console.Error.WriteLine(FormattableString.Invariant($"{DateTime.Now:HH:mm:ss} {what}"));
}
