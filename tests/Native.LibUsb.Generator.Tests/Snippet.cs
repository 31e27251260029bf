namespace Native.LibUsb.Generator.Tests;

/// <summary>Runs the generator on a few lines of C.</summary>
internal static class Snippet
{
    /// <summary>Gets the generated files.</summary>
    /// <param name="header">The C text. <c>stdint.h</c> is included before it.</param>
    /// <param name="settings">The settings in JSON.</param>
    /// <param name="docs">
    /// The content of each documentation file, with the file's name as the key. If this parameter is null, the generated files have no documentation.
    /// </param>
    public static IReadOnlyDictionary<string, string> Generate(string header, string settings = "{}", IReadOnlyDictionary<string, string>? docs = null)
    {
        using var folder = new TemporaryFolder();
        string input = folder.Write("input.h", header);
        foreach ((string? name, string? text) in docs ?? new Dictionary<string, string>())
            folder.Write($"docs/{name}", text);
        return BindingGenerator.Generate(
            TestRepository.Clang, input, folder.Write("settings.json", settings), docs is null ? null : Path.Combine(folder.Path, "docs"));
    }

    /// <summary>Gets the errors of a run that must fail. The errors do not contain the folder of the input.</summary>
    public static IReadOnlyList<string> Errors(string header, string settings = "{}", IReadOnlyDictionary<string, string>? docs = null)
    {
        GeneratorException exception = Assert.Throws<GeneratorException>(() => Generate(header, settings, docs));
        return [.. exception.Errors.Select(error => error.StartsWith(Path.GetTempPath(), StringComparison.Ordinal)
            ? error[(error.IndexOf('/', Path.GetTempPath().Length) + 1)..] : error)];
    }
}
