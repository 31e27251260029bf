namespace Native.LibUsb.Generator.Output;

/// <summary>Represents the files of the repository that the generator reads and writes.</summary>
internal sealed class Repository(string root)
{
    private const string Marker = "Native.LibUsb.sln";
    private const string GeneratedFolder = "src/Native.LibUsb/Interop/Generated";

    public string Root { get; } = root;

    public string Input => Path.Combine(Root, "libusb.h");

    public string Settings => Path.Combine(Root, "generator", "settings.json");

    public string Docs => Path.Combine(Root, "generator", "docs");

    public string Stubs => Path.Combine(Root, "generator", "stubs");

    /// <summary>Gets the folder of the hand-written part of the raw layer.</summary>
    public string Interop => Path.Combine(Root, "src", "Native.LibUsb", "Interop");

    /// <summary>
    /// Finds the root of the repository. The method searches <paramref name="start"/> and then its parent folders, and returns the first folder that contains
    /// the solution.
    /// </summary>
    public static Repository Find(string start)
    {
        for (var folder = new DirectoryInfo(start); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, Marker)))
                return new Repository(folder.FullName);
        throw new GeneratorException($"no {Marker} in {start} or above it; --root names the repository");
    }

    /// <summary>Returns the path of a generated file, relative to the root.</summary>
    public static string PathOf(string generated) =>
        generated == BindingGenerator.Layouts ? $"tests/Native.LibUsb.Tests/Layout/{generated}" : $"{GeneratedFolder}/{generated}";

    /// <summary>Writes the generated files that differ from those in the repository, and returns their paths.</summary>
    public IReadOnlyList<string> Write(IReadOnlyDictionary<string, string> files)
    {
        var written = new List<string>();
        foreach ((string? name, string? text) in files)
        {
            string path = Path.Combine(Root, PathOf(name));
            if (Read(path) == text)
                continue;
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, text);
            written.Add(PathOf(name));
        }

        return written;
    }

    /// <summary>
    /// Returns the differences between the files in the repository and the generated files. If there are no differences, the result is an empty text.
    /// </summary>
    public string Compare(IReadOnlyDictionary<string, string> files)
    {
        string folder = Path.Combine(Root, GeneratedFolder);
        IEnumerable<string> stray = Directory.Exists(folder) ? Directory.EnumerateFiles(folder).Select(path => Path.GetFileName(path)).Where(name => !files.ContainsKey(name)) : [];
        return string.Concat(files.Select(file => UnifiedDiff.Format(PathOf(file.Key), Read(Path.Combine(Root, PathOf(file.Key))), file.Value))
            .Concat(stray.Order(StringComparer.Ordinal).Select(name => $"{GeneratedFolder}/{name}: not a generated file\n")));
    }

    private static string Read(string path) => File.Exists(path) ? File.ReadAllText(path) : "";
}
