using System.Globalization;
using System.Text.RegularExpressions;

namespace Native.LibUsb.Bench.Report;

/// <summary>Represents the number of instructions that one transfer executes in all libraries together.</summary>
internal sealed record InstructionCount(string Subject, string Work, double Instructions, double Ratio);

/// <summary>
/// Counts instructions with callgrind. The count does not depend on the machine's other work. The class subtracts the count of a short run from the count of a
/// long run, so the result does not include the start of the program.
/// </summary>
internal static partial class Instructions
{
    private const long Few = 2_000, Many = 12_000;

    public static List<InstructionCount> Count(IEnumerable<(Subject Subject, Work Work)> entries, Func<Subject, bool> isBaseline)
    {
        List<InstructionCount> counts = [];
        double baseline = 0;
        foreach ((Subject subject, Work work) in entries)
        {
            double each = (Total(subject, work, Many) - Total(subject, work, Few)) / (double)(Many - Few);
            if (isBaseline(subject))
                baseline = each;
            counts.Add(new InstructionCount(subject.Name, work.Name, each, each / baseline));
        }

        return counts;
    }

    private static long Total(Subject subject, Work work, long transfers)
    {
        string log = Path.GetFullPath("artifacts/bench/callgrind.log");
        using (var measured = new Measured(
            subject, work, "env", "DOTNET_GCHeapHardLimit=10000000", "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", $"--log-file={log}"))
        {
            _ = measured.Slice(1000);
            _ = measured.Slice(transfers);
            _ = measured.End();
        }

        Match match = Collected().Match(File.ReadAllText(log));
        return match.Success
            ? long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)
            : throw new InvalidOperationException($"callgrind counted nothing: {log}");
    }

    [GeneratedRegex(@"Collected : ([0-9]+)")]
    private static partial Regex Collected();
}
