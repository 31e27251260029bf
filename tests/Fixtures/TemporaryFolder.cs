namespace Native.LibUsb.Tests;

/// <summary>Represents a folder for one test, which is removed with it.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("native-libusb-").FullName;

    /// <summary>Gets the path of a file in this folder.</summary>
    public string File(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Writes a file, with the folders that its name requests.</summary>
    /// <returns>Its path.</returns>
    public string Write(string name, string text)
    {
        string file = File(name);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(file)!);
        System.IO.File.WriteAllText(file, text);
        return file;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
