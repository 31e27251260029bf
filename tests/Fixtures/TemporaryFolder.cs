namespace Native.LibUsb.Tests;

/// <summary>Represents a folder for one test, which <see cref="Dispose"/> removes.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("native-libusb-").FullName;

    /// <summary>Gets the path of a file in this folder.</summary>
    public string File(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Writes a file, and creates the folders in its name.</summary>
    /// <returns>The path of the file.</returns>
    public string Write(string name, string text)
    {
        string file = File(name);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(file)!);
        System.IO.File.WriteAllText(file, text);
        return file;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
