using System.Text.Json;
using System.Text.Json.Serialization;

namespace Native.LibUsb.Bench.Report;

/// <summary>Represents a result of bench/Native.LibUsb.Benchmarks.</summary>
internal sealed record MicroBenchmark(
    string Subject, string Method, string Title, Dictionary<string, JsonElement> Parameters, string Job, double MedianNanoseconds, double StandardErrorNanoseconds,
    double? RatioToBaseline, long? AllocatedBytes)
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    /// <summary>Reads the results file of the micro benchmarks.</summary>
    public static List<MicroBenchmark> Read(string path)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(path));
        return document.RootElement.GetProperty("benchmarks").Deserialize<List<MicroBenchmark>>(s_json)!;
    }

    [JsonIgnore]
    public string ParametersText => string.Join(", ", Parameters.Select(static parameter => $"{parameter.Key} {parameter.Value}"));
}
