using System.Reflection;
using System.Text.RegularExpressions;

namespace Native.LibUsb.Tests.Documentation;

/// <summary>Tests that docs/tested-systems.md lists exactly the scenarios that cannot run on a real kernel.</summary>
public sealed partial class TestedSystemsTests
{
    [Fact]
    public void Every_exception_is_listed_with_its_reason()
    {
        IEnumerable<string> marked =
            from type in typeof(TestedSystemsTests).Assembly.GetTypes()
            from member in type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly).Cast<MemberInfo>().Prepend(type)
            let mark = member.GetCustomAttribute<PreloadOnlyAttribute>(inherit: false)
            where mark is not null
            let name = member == type ? type.Name : $"{type.Name}.{member.Name}"
            select mark.Rows is null ? $"| `{name}` | {mark.Reason} |" : $"| `{name}` ({mark.Rows}) | {mark.Reason} |";
        IEnumerable<string> listed = File.ReadLines(Repository.PathOf("docs", "tested-systems.md")).Where(line => RowPattern().IsMatch(line));
        Assert.Equal(marked.Order(StringComparer.Ordinal), listed.Order(StringComparer.Ordinal));
    }

    [GeneratedRegex("^\\| `[A-Za-z]+Tests[.`]")]
    private static partial Regex RowPattern();
}
