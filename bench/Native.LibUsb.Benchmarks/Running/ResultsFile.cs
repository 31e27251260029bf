using System.Text.Json;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;

namespace Native.LibUsb.Benchmarks.Running;

/// <summary>Writes all numbers of a run to one file, which other programs compare or print.</summary>
internal static class ResultsFile
{
    private static readonly JsonSerializerOptions s_options = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    public static void Write(string path, bool isShort, IReadOnlyList<Summary> summaries)
    {
        BenchmarkReport[] reports = [.. summaries.SelectMany(summary => summary.Reports).Where(report => report.ResultStatistics is not null)];
        Result[] results = [.. reports.Select(report => ResultOf(report, BaselineOf(report, reports)))];
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, JsonSerializer.Serialize(new { Form = isShort ? "short" : "long", Benchmarks = results }, s_options));
    }

    private static Result ResultOf(BenchmarkReport report, BenchmarkReport? baseline)
    {
        BenchmarkCase benchmark = report.BenchmarkCase;
        double median = report.ResultStatistics!.Median;
        return new Result(
            benchmark.Descriptor.Type.Name,
            benchmark.Descriptor.WorkloadMethod.Name,
            benchmark.Descriptor.WorkloadMethodDisplayInfo.Trim('\''),
            benchmark.Parameters.Items.ToDictionary(parameter => parameter.Name, parameter => parameter.Value),
            benchmark.Job.Id,
            median,
            report.ResultStatistics.StandardError,
            baseline is { ResultStatistics.Median: > 0 and var other } ? median / other : null, // a benchmark that is faster than an empty loop has no ratio
            report.GcStats.GetBytesAllocatedPerOperation(benchmark));
    }

    /// <summary>Returns the baseline with the same parameters and the same kind of compilation.</summary>
    private static BenchmarkReport? BaselineOf(BenchmarkReport report, BenchmarkReport[] reports) =>
        Array.Find(reports, other =>
            other.BenchmarkCase.Descriptor.Baseline
            && other.BenchmarkCase.Descriptor.Type == report.BenchmarkCase.Descriptor.Type
            && other.BenchmarkCase.Job.Id == report.BenchmarkCase.Job.Id
            && other.BenchmarkCase.Parameters.DisplayInfo == report.BenchmarkCase.Parameters.DisplayInfo);

    private sealed record Result(
        string Subject,
        string Method,
        string Title,
        Dictionary<string, object> Parameters,
        string Job,
        double MedianNanoseconds,
        double StandardErrorNanoseconds,
        double? RatioToBaseline,
        long? AllocatedBytes);
}
