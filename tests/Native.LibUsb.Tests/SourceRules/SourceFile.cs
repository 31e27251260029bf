using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Native.LibUsb.Tests.SourceRules;

/// <summary>Represents a C# file by its syntax tree and its path. The path is relative to the folder that the test has read.</summary>
internal sealed record SourceFile(string Path, SyntaxTree Tree)
{
    private static readonly CSharpParseOptions s_options = new(LanguageVersion.CSharp14, DocumentationMode.Parse);

    /// <summary>Gets the first folder of the path; empty if the path has no folder.</summary>
    public string Folder => Path.Contains('/') ? Path[..Path.IndexOf('/')] : "";

    public static SourceFile Parse(string path, string text) => new(path, CSharpSyntaxTree.ParseText(text, s_options, path));

    /// <summary>Reads all C# files of a folder and of its subfolders.</summary>
    public static IReadOnlyList<SourceFile> ReadAll(string folder)
    {
        List<SourceFile> files = [];
        foreach (string file in Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
            files.Add(Parse(System.IO.Path.GetRelativePath(folder, file).Replace('\\', '/'), File.ReadAllText(file)));
        return files;
    }

    /// <summary>Gets the line of a node as <c>file:line</c>.</summary>
    public string PlaceOf(SyntaxNode node) => $"{Path}:{Tree.GetLineSpan(node.Span).StartLinePosition.Line + 1}";
}
