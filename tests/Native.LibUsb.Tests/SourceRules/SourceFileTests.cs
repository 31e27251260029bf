using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Native.LibUsb.Tests.SourceRules;

/// <summary>
/// Tests that each file in src contains at most one public type. The test does not check the generated files of the raw layer, which contain several types of
/// the same kind.
/// </summary>
public sealed class SourceFileTests
{
    private const string Generated = ".g.cs";

    [Fact]
    public void A_file_holds_one_public_type()
    {
        IReadOnlyList<SourceFile> files = SourceFile.ReadAll(Repository.PathOf("src"));
        Assert.True(files.Count > 100, "The sources were not found.");
        string[] found = [.. files.Where(file => !file.Path.EndsWith(Generated, StringComparison.Ordinal)).Select(Describe).OfType<string>()];
        Assert.True(found.Length == 0, $"{found.Length} files hold more:\n{string.Join('\n', found)}");
    }

    [Theory]
    [InlineData("public class A { public class Nested; }\nclass B;", null)]
    [InlineData("public partial class A;\npublic partial class A;", null)]
    [InlineData("namespace N;\npublic class A;\npublic enum B { C }", "A.cs: A, B")]
    [InlineData("public class A;\npublic delegate void B();", "A.cs: A, B")]
    [InlineData("namespace N\n{\n    public record struct A;\n}\nnamespace M\n{\n    public interface B;\n}", "A.cs: A, B")]
    public void Public_types_are_counted_by_name(string text, string? expected) => Assert.Equal(expected, Describe(SourceFile.Parse("A.cs", text)));

    private static string? Describe(SourceFile file)
    {
        string[] names =
        [
            .. file.Tree.GetRoot().DescendantNodes(node => node is CompilationUnitSyntax or BaseNamespaceDeclarationSyntax)
                .OfType<MemberDeclarationSyntax>()
                .Where(member => member.Modifiers.Any(SyntaxKind.PublicKeyword))
                .Select(NameOf)
                .OfType<string>()
                .Distinct(),
        ];
        return names.Length > 1 ? $"{file.Path}: {string.Join(", ", names)}" : null;
    }

    private static string? NameOf(MemberDeclarationSyntax member) => member switch
    {
        TypeDeclarationSyntax type => type.Identifier.Text + type.TypeParameterList,
        BaseTypeDeclarationSyntax type => type.Identifier.Text,
        DelegateDeclarationSyntax type => type.Identifier.Text + type.TypeParameterList,
        _ => null,
    };
}
