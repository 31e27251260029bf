using System.Text.Json;
using System.Text.Json.Serialization;

namespace Native.LibUsb.Bench.Report;

/// <summary>Represents the measurements of a run, which results.json contains.</summary>
internal sealed record Results(
    DateTime Date, string Form, string Commit, Machine Machine, IReadOnlyList<Work> Works, IReadOnlyList<Measurement> Captures, IReadOnlyList<InstructionCount> Instructions,
    IReadOnlyList<StartCost> Starts, IReadOnlyList<GrowthSeries> Growth, IReadOnlyList<MicroBenchmark> Micro)
{
    private static readonly JsonSerializerOptions s_json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    public void Write(string path) => File.WriteAllText(path, JsonSerializer.Serialize(this, s_json) + "\n");

    /// <summary>Reads a file that <see cref="Write"/> has written.</summary>
    public static Results Read(string path) => JsonSerializer.Deserialize<Results>(File.ReadAllText(path), s_json)!;

    public Measurement? Capture(Subject subject, string work) => Captures.FirstOrDefault(m => m.Subject == subject.Name && m.Work == work);
}
