namespace Native.LibUsb.Bench.Report;

/// <summary>
/// Represents a series of measurements of the cost of a transfer. A number in <see cref="Work"/>, such as the number of packets in a transfer, grows from point
/// to point.
/// </summary>
/// <param name="Name">The name of the number that grows, for the JSON file and for the file name of the plot.</param>
/// <param name="Title">The title of the series in the report.</param>
/// <param name="Points">The points of the series. Each point has a number and the measurements of all programs.</param>
internal sealed record GrowthSeries(string Name, string Title, IReadOnlyList<GrowthPoint> Points);

/// <param name="Number">The value of the number that grows.</param>
/// <param name="Measurements">The measurements of all programs. The first measurement is of the program in C.</param>
internal sealed record GrowthPoint(int Number, IReadOnlyList<Measurement> Measurements);

/// <summary>Measures all points of a series in the same rounds, so that the points can be compared.</summary>
internal static class Growth
{
    public static IEnumerable<(string Name, string Title, (int Number, Work Work)[] Points)> Series(bool whole)
    {
        int[] depths = whole ? [1, 2, 4, 8, 16, 32, 64] : [1, 16, 64];
        int[] packets = whole ? [1, 2, 4, 8, 16, 32, 64, 128] : [1, 32, 128];
        int[] devices = whole ? [1, 2, 4, 8, 16] : [1, 16];
        int[] contexts = whole ? [1, 2, 4] : [1, 4];
        yield return ("in-flight", "bulk transfers of 512 B in flight on one device", [.. depths.Select(n => (n, new Work("bulk", 512, 0, n)))]);
        yield return ("packets", "packets in an isochronous transfer, 16 in flight", [.. packets.Select(n => (n, new Work("iso", 32, n, 16)))]);
        yield return ("devices", "devices, each with 16 bulk transfers of 512 B in flight", [.. devices.Select(n => (n, new Work("bulk", 512, 0, 16, n)))]);
        yield return ("contexts", "contexts, each with a thread and a device with 16 bulk transfers of 512 B in flight", [.. contexts.Select(n => (n, new Work("bulk", 512, 0, 16, n, n)))]);
    }

    public static GrowthSeries Measure(InTurn inTurn, string name, string title, (int Number, Work Work)[] points, Subject[] subjects)
    {
        var entries = (from point in points from subject in subjects select (subject, point.Work)).ToList();
        List<Measurement> measured = inTurn.Run(entries, i => i - (i % subjects.Length));
        return new GrowthSeries(
            name, title,
            [.. points.Select((point, i) => new GrowthPoint(point.Number, measured.GetRange(i * subjects.Length, subjects.Length)))]);
    }
}
