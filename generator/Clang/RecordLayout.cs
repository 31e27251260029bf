using System.Globalization;
using System.Text.RegularExpressions;
using Native.LibUsb.Generator.Model;

namespace Native.LibUsb.Generator.Clang;

/// <summary>Represents a C compiler's layout of a record on one target.</summary>
/// <param name="Fields">A map from the name of each field to the offset of the field. If a field is in a nested record, the map contains the field's path,
/// such as <c>value.ival</c>.</param>
internal sealed partial record RecordLayout(string Name, int Size, int Alignment, IReadOnlyDictionary<string, int> Fields)
{
    /// <summary>Reads clang's layouts of records on every target. For each target, the result maps the names of the records to their layouts.</summary>
    /// <param name="clang">The compiler.</param>
    /// <param name="input">The header.</param>
    /// <param name="records">The records. Opaque records are skipped, because they have no layout.</param>
    public static IReadOnlyDictionary<Target, Dictionary<string, RecordLayout>> ReadAll(ClangCompiler clang, string input, IEnumerable<CRecord> records)
    {
        using var probe = new TemporaryHeader(input);
        foreach (CRecord? record in records.Where(record => record.Fields is not null))
            probe.Add($"_Static_assert(sizeof({record.Spelling}) > 0, \"\");");
        string file = probe.Save();
        return Target.All.AsParallel().AsOrdered().Select(target => (target, layouts: Read(clang.DumpRecordLayouts(file, target))))
            .ToDictionary(pair => pair.target, pair => pair.layouts);
    }

    /// <summary>Reads the output of <c>clang -fdump-record-layouts</c>. If a record has no name, the method reads it as a part of the record that contains
    /// it.</summary>
    private static Dictionary<string, RecordLayout> Read(string dump)
    {
        var layouts = new Dictionary<string, RecordLayout>();
        foreach (string block in dump.Split("*** Dumping AST Record Layout", StringSplitOptions.RemoveEmptyEntries))
        {
            string name = "";
            var fields = new OrderedDictionary<string, int>();
            var path = new List<string>();
            foreach (string line in block.Split('\n'))
            {
                if (Member().Match(line) is { Success: true } member)
                {
                    int depth = (member.Groups[2].Length - 1) / 2;
                    string text = member.Groups[3].Value;
                    if (depth == 0)
                    {
                        name = text.StartsWith("struct ", StringComparison.Ordinal) || text.StartsWith("union ", StringComparison.Ordinal)
                            ? text[(text.IndexOf(' ', StringComparison.Ordinal) + 1)..] : text;
                        continue;
                    }

                    path.RemoveRange(depth - 1, path.Count - depth + 1);
                    path.Add(text[(text.LastIndexOf(' ') + 1)..]);
                    fields[string.Join('.', path)] = int.Parse(member.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
                }
                else if (Total().Match(line) is { Success: true } total && !name.Contains('('))
                {
                    layouts[name] = new RecordLayout(
                        name,
                        int.Parse(total.Groups[1].ValueSpan, CultureInfo.InvariantCulture),
                        int.Parse(total.Groups[2].ValueSpan, CultureInfo.InvariantCulture),
                        fields);
                    break;
                }
            }
        }

        return layouts;
    }

    [GeneratedRegex(@"^\s*(\d+) \|(\s+)(\S.*)$")]
    private static partial Regex Member();

    [GeneratedRegex(@"\[sizeof=(\d+), align=(\d+)\]")]
    private static partial Regex Total();
}
