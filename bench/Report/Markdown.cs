using System.Globalization;
using System.Text;

namespace Native.LibUsb.Bench.Report;

/// <summary>Writes the results as Markdown.</summary>
internal sealed class Markdown(Results results)
{
    private readonly StringBuilder _text = new();

    /// <summary>Returns the text of RESULTS.md.</summary>
    public string Report()
    {
        Machine machine = results.Machine;
        Line("# Results");
        Line();
        Line($"Written by `eng/bench.sh{(results.Form == "short" ? " --short" : "")}`; [README.md](README.md) describes the method, and explains each missed limit. All times are processor time in nanoseconds. The tables show medians, with the quartiles in brackets.");
        Line("The endpoints complete their transfers immediately. The numbers therefore contain only libusb, the program, and the few instructions of the virtual bus that replace the kernel.");
        Line();
        Line($"- {results.Date:yyyy-MM-dd HH:mm} UTC, {results.Form} form, commit {results.Commit}");
        Line($"- {machine.Processor}, {machine.Processors} processors, {machine.MemoryMib} MiB; {machine.System}, Linux {machine.Kernel}");
        Line($"- .NET SDK {machine.Sdk}; JIT: {machine.Runtime}; AOT: {machine.AotRuntime}");
        Line($"- libusb {machine.LibUsb}; C: {machine.Compiler}, -O2; {machine.Python}");
        Line();
        LimitTable();
        Captures();
        InstructionTable();
        StartTable();
        GrowthTables();
        MicroTables();
        return _text.ToString();
    }

    /// <summary>Returns the table for the README.</summary>
    public string Summary()
    {
        Subject[] columns = [Subjects.AotRaw, Subjects.AotFacade, Subjects.AotRing, Subjects.JitFacade, Subjects.Python];
        Row(["processor time of one transfer, C = 1", .. columns.Select(static c => c.Title)]);
        Row([.. Enumerable.Repeat("---", columns.Length + 1)]);
        foreach (Work work in results.Works.Where(static work => work.Depth == 16 || work.Kind == "sync"))
            Row([work.Title, .. columns.Select(c => results.Capture(c, work.Name) is { } m ? N(m.Ratio.Median, 2) : "")]);
        return _text.ToString();
    }

    private void LimitTable()
    {
        Line("## Limits");
        Line();
        Row(["", "measured", "limit", ""]);
        Row(["---", "---:", "---:", "---"]);
        foreach (Limit limit in Limits.Of(results))
        {
            string unit = limit.Unit.Length == 0 ? "" : " " + limit.Unit;
            Row([limit.What, limit.Measured is { } value ? N(value, 3) + unit : "not in this run", (limit.AtLeast ? "at least " : "at most ") + limit.BoundText + unit, limit.IsKept ? "kept" : limit.Gates ? "**missed**" : "above, on a shared machine"]);
        }

        Line();
    }

    private void Captures()
    {
        foreach (Work work in results.Works)
        {
            if (results.Captures.FirstOrDefault(m => m.Work == work.Name) is null)
                continue;
            Line($"## Capture: {work.Title}");
            Line();
            List<string> head = ["", "ns a transfer", "to C"];
            if (work.IsIso)
                head.Insert(2, "ns a packet");
            Row([.. head, "allocated", "collections", "peak memory"]);
            Row(["---", .. Enumerable.Repeat("---:", head.Count + 2)]);
            foreach (Measurement m in results.Captures.Where(m => m.Work == work.Name))
            {
                List<string> cells = [Subjects.TitleOf(m.Subject), $"{N(m.Nanoseconds.Median)} ({N(m.Nanoseconds.Low)} to {N(m.Nanoseconds.High)})", $"{N(m.Ratio.Median, 3)} ({N(m.Ratio.Low, 3)} to {N(m.Ratio.High, 3)})"];
                if (work.IsIso)
                    cells.Insert(2, N(m.Nanoseconds.Median / work.Packets, 1));
                Row([.. cells, m.Account.Allocated is null ? "" : $"{m.Account.AllocatedByAll} B", $"{m.Account.Collections}", $"{N(m.Account.PeakKib / 1024.0, 1)} MiB"]);
            }

            Line();
        }
    }

    private void InstructionTable()
    {
        if (results.Instructions.Count == 0)
            return;
        Line("## Instructions of one transfer");
        Line();
        Line("callgrind counts the instructions of all libraries together. The counts do not depend on other work of the machine.");
        Line();
        Row(["", "", "instructions", "to C"]);
        Row(["---", "---", "---:", "---:"]);
        foreach (InstructionCount count in results.Instructions)
            Row([results.Works.First(work => work.Name == count.Work).Title, Subjects.TitleOf(count.Subject), N(count.Instructions), N(count.Ratio, 3)]);
        Line();
    }

    private void StartTable()
    {
        if (results.Starts.Count == 0)
            return;
        Line("## Start: a program that lists two devices");
        Line();
        Row(["", "start to end, ms", "more than C, ms", "C", "processor, ms", "resident", "file"]);
        Row(["---", "---:", "---:", "---:", "---:", "---:", "---:"]);
        foreach (StartCost start in results.Starts)
        {
            Row([
                start.Title, $"{N(start.Milliseconds.Median, 2)} ({N(start.Milliseconds.Low, 2)} to {N(start.Milliseconds.High, 2)})", N(start.MoreThanC.Median, 2), start.RatioToC is { } ratio ? $"{N(ratio.Median, 2)} times" : "",
                N(start.ProcessorMilliseconds.Median, 2), $"{N(start.ResidentKib / 1024.0, 1)} MiB", $"{N(start.FileBytes / 1e6, 2)} MB"]);
        }

        Line();
    }

    private void GrowthTables()
    {
        foreach (GrowthSeries growth in results.Growth)
        {
            Line($"## As the work grows: {growth.Title}");
            Line();
            Line($"![Processor time of one transfer, by {growth.Name.Replace('-', ' ')}](growth-{growth.Name}.svg)");
            Line();
            List<string> subjects = [.. growth.Points[0].Measurements.Select(static m => m.Subject)];
            Row([growth.Name.Replace('-', ' '), .. subjects.Select(static s => $"{Subjects.TitleOf(s)}, ns"), .. subjects.Skip(1).Select(static s => $"{Subjects.TitleOf(s)} to C")]);
            Row([.. Enumerable.Repeat("---:", subjects.Count * 2)]);
            foreach (GrowthPoint point in growth.Points)
                Row([$"{point.Number}", .. point.Measurements.Select(static m => N(m.Nanoseconds.Median)), .. point.Measurements.Skip(1).Select(static m => N(m.Ratio.Median, 3))]);
            Line();
        }
    }

    private void MicroTables()
    {
        foreach (var subject in results.Micro.GroupBy(static benchmark => benchmark.Subject))
        {
            Line($"## Micro benchmark: {subject.Key}");
            Line();
            Row(["", "", "", "ns", "to the first", "allocated"]);
            Row(["---", "---", "---", "---:", "---:", "---:"]);
            foreach (MicroBenchmark b in subject)
            {
                Row([b.Title, b.ParametersText, b.Job, $"{N(b.MedianNanoseconds, 2)} ± {N(b.StandardErrorNanoseconds, 2)}", b.RatioToBaseline is { } ratio ? N(ratio, 2) : "",
                    b.AllocatedBytes is { } bytes ? $"{bytes} B" : ""]);
            }

            Line();
        }
    }

    private void Row(IEnumerable<string> cells) => Line($"| {string.Join(" | ", cells)} |");

    private void Line(FormattableString text) => _text.Append(text.ToString(CultureInfo.InvariantCulture)).Append('\n');

    private void Line(string text = "") => _text.Append(text).Append('\n');

    private static string N(double value, int digits = 0) => value.ToString($"F{digits}", CultureInfo.InvariantCulture);
}
