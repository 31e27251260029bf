
namespace Native.LibUsb.Generator.Tests;

/// <summary>
/// Tests the generator with one folder for each case. A folder contains <c>input.h</c>, the expected files, and optionally <c>settings.json</c> and texts. The
/// folder omits an expected file that equals the output for an empty header. <c>UPDATE_GOLDEN=1 dotnet test</c> rewrites the expected files: read the
/// difference before you commit the files. The files are compiled with the tests, so first delete files that no longer compile.
/// </summary>
public class GoldenTests
{
    private static readonly string s_golden = Path.Combine(TestRepository.Tests, "Golden");
    private static readonly bool s_update = Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1";

    // The output for a header without functions and records.
    private static readonly Lazy<IReadOnlyDictionary<string, string>> s_nothing = new(() => Snippet.Generate("typedef int nothing;\n"));

    public static TheoryData<string> Cases => [.. Directory.EnumerateDirectories(s_golden).Select(folder => Path.GetFileName(folder)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Output_is_as_recorded(string name)
    {
        string folder = Path.Combine(s_golden, name);
        string settings = Path.Combine(folder, "settings.json");
        IReadOnlyDictionary<string, string> generated = BindingGenerator.Generate(
            TestRepository.Clang,
            Path.Combine(folder, "input.h"),
            File.Exists(settings) ? settings : null,
            Directory.EnumerateFiles(folder, "*.xml").Any() ? folder : null);
        var expected = generated.Where(file => file.Key != BindingGenerator.Layouts && file.Value != s_nothing.Value[file.Key]).ToDictionary();
        Assert.NotEmpty(expected);

        if (s_update)
        {
            foreach (string stale in Directory.EnumerateFiles(folder, "*.g.cs"))
                File.Delete(stale);
            foreach ((string? file, string? text) in expected)
                File.WriteAllText(Path.Combine(folder, file), text);
        }

        var recorded = Directory.EnumerateFiles(folder, "*.g.cs").ToDictionary(path => Path.GetFileName(path), File.ReadAllText);
        Assert.Equal(expected.Keys.Order(), recorded.Keys.Order());
        foreach ((string? file, string? text) in expected)
            Assert.Equal(recorded[file], text);
    }
}
