using Microsoft.CodeAnalysis.CSharp.Syntax;
using Native.LibUsb.Tests.SourceRules;

namespace Native.LibUsb.Tests.Documentation;

/// <summary>
/// Searches the source files for the names of all tests in the repository. The result also includes the tests of the other test projects. Those tests are not
/// in this assembly.
/// </summary>
internal static class TestNames
{
    /// <summary>Reads the names of all tests in the folder tests.</summary>
    public static IReadOnlySet<string> ReadAll() => SourceFile.ReadAll(Repository.PathOf("tests")).SelectMany(Find).ToHashSet(StringComparer.Ordinal);

    /// <summary>Finds each method with an attribute whose name ends with Fact or Theory, and returns its name as <c>Class.Method</c>.</summary>
    public static IEnumerable<string> Find(SourceFile file) =>
        from method in file.Tree.GetRoot().DescendantNodes().OfType<MethodDeclarationSyntax>()
        where method.AttributeLists.SelectMany(static list => list.Attributes).Any(IsTest)
        let type = method.Parent as TypeDeclarationSyntax
        where type is not null
        select $"{type.Identifier.Text}.{method.Identifier.Text}";

    private static bool IsTest(AttributeSyntax attribute)
    {
        string name = attribute.Name.ToString();
        return name.EndsWith("Fact", StringComparison.Ordinal) || name.EndsWith("Theory", StringComparison.Ordinal);
    }
}
