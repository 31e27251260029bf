using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;

namespace Native.LibUsb.Benchmarks.Running;

/// <summary>
/// Determines whether a run is valid. In a valid run, every benchmark has run, and no benchmark of the category <see cref="Categories.NoAllocation"/> has
/// allocated memory.
/// </summary>
internal static class Verdict
{
    private const int Fine = 0, Bad = 1;

    public static int Tell(IReadOnlyList<Summary> summaries, TextWriter output)
    {
        List<string> faults = [];
        int measured = 0;
        foreach (Summary summary in summaries)
        {
            foreach (var error in summary.ValidationErrors.Where(error => error.IsCritical))
                faults.Add($"{summary.Title}: {error.Message}");
            foreach (BenchmarkReport report in summary.Reports)
            {
                string name = Name(report.BenchmarkCase);
                measured++;
                if (!report.Success || report.ResultStatistics is null)
                    faults.Add($"{name}: it failed");
                else if (report.BenchmarkCase.Descriptor.HasCategory(Categories.NoAllocation) && Allocated(report) is var bytes and not 0)
                    faults.Add($"{name}: it allocated {bytes} bytes");
            }

            foreach (var missing in summary.BenchmarksCases.Where(benchmark => !summary.Reports.Any(report => report.BenchmarkCase == benchmark)))
                faults.Add($"{Name(missing)}: it did not run");
        }

        if (measured == 0 && faults.Count == 0)
            faults.Add("nothing was measured");
        foreach (string fault in faults)
            output.WriteLine($"FAILED {fault}");
        if (faults.Count == 0)
            output.WriteLine($"ok: {measured} benchmarks, and none of those that must not allocate does");
        return faults.Count == 0 ? Fine : Bad;
    }

    private static string Name(BenchmarkCase benchmark) =>
        $"{benchmark.Job.Id} {benchmark.Descriptor.Type.Name} '{benchmark.Descriptor.WorkloadMethodDisplayInfo}' {benchmark.Parameters.DisplayInfo}".TrimEnd();

    /// <summary>Returns the number of bytes that one operation allocates, rounded; -1 if it was not measured.</summary>
    private static long Allocated(BenchmarkReport report) => report.GcStats.GetBytesAllocatedPerOperation(report.BenchmarkCase) ?? -1;
}
