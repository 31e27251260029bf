using System.CommandLine;
using Native.LibUsb.Bench.Report;

string[] parts = ["captures", "instructions", "start", "growth", "micro"];
Option<bool> isShort = new("--short") { Description = "Measures fewer kinds of work, with fewer programs and rounds." };
Option<bool> gate = new("--gate") { Description = "Returns exit code 1 if a result breaks a limit. The limits that compare processor times with C do not count." };
Option<string> output = new("--output") { Description = "The folder for RESULTS.md, results.json and the plots.", DefaultValueFactory = _ => "bench" };
Option<string?> readme = new("--readme") { Description = "The file that contains the table of costs. The program replaces this table. By default, it replaces no table." };
Option<string> commit = new("--commit") { Description = "The commit of the measured programs.", DefaultValueFactory = _ => "unknown" };
Option<string[]> only = new("--part") { Description = $"A part to measure: {string.Join(", ", parts)}. The option can be given several times. By default, the program measures all parts." };
only.AcceptOnlyFromAmong(parts);
Option<string?> from = new("--from") { Description = "A file results.json. The program measures nothing, and writes all outputs again from this file." };
RootCommand command = new("Measures the programs of bench/ in turn, and writes the results.") { isShort, gate, output, readme, commit, only, from };
command.SetAction(result => Run(result));
return command.Parse(args).Invoke();

int Run(ParseResult parsed)
{
    bool quick = parsed.GetValue(isShort);
    string[] wanted = parsed.GetValue(only) is { Length: > 0 } some ? some : parts;
    Results results = parsed.GetValue(from) is { } file ? Results.Read(file) : new Results(
        DateTime.UtcNow, quick ? "short" : "long", parsed.GetValue(commit)!, Machine.This(), Plan.Works(quick),
        Wanted("captures") ? Plan.Captures(quick) : [],
        Wanted("instructions") ? Plan.CountInstructions(quick) : [],
        Wanted("start") ? Starts.Measure(quick ? 60 : 200) : [],
        Wanted("growth") ? Plan.Grow(quick) : [],
        Wanted("micro") ? MicroBenchmark.Read("artifacts/bench/micro/results.json") : []);

    string folder = parsed.GetValue(output)!;
    Directory.CreateDirectory(folder);
    results.Write(Path.Combine(folder, "results.json"));
    File.WriteAllText(Path.Combine(folder, "RESULTS.md"), new Markdown(results).Report());
    foreach (GrowthSeries growth in results.Growth)
        Plot.Write(growth, Path.Combine(folder, $"growth-{growth.Name}.svg"));
    if (parsed.GetValue(readme) is { } path)
        ReadmeTable.Replace(path, new Markdown(results).Summary());

    List<Limit> limits = Limits.Of(results);
    foreach (Limit limit in limits.Where(static limit => limit.Measured is not null))
    {
        string verdict = limit.IsKept ? "kept  " : limit.Gates ? "MISSED" : "above ";
        string spread = limit.Spread is { } of ? FormattableString.Invariant($", quartiles {of.Low:F3} to {of.High:F3}") : "";
        Console.WriteLine(FormattableString.Invariant($"{verdict} {limit.What}: {limit.Measured:F3} {limit.Unit} ({(limit.AtLeast ? "at least" : "at most")} {limit.BoundText}{(limit.Gates ? "" : ", not checked by --gate")}{spread})"));
    }

    return parsed.GetValue(gate) && limits.Exists(static limit => limit is { IsKept: false, Gates: true }) ? 1 : 0;

    bool Wanted(string part) => wanted.Contains(part);
}
