using System.Text;

namespace Native.LibUsb.Generator.Clang;

/// <summary>
/// Represents a temporary header, which includes the input header and then contains declarations for clang to evaluate. <see cref="Dispose"/> deletes the file.
/// </summary>
internal sealed class TemporaryHeader(string input) : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"native-libusb-generator-{Guid.NewGuid():N}.h");
    private readonly StringBuilder _text = new($"#include \"{Path.GetFullPath(input)}\"\n");

    /// <summary>Adds a line. clang reports errors in this line with the given <paramref name="location"/>.</summary>
    public void Add(string line, SourceLocation? location = null)
    {
        if (location is { } place)
            _text.Append("#line ").Append(place.Line).Append(" \"").Append(place.File).Append("\"\n");
        _text.Append(line).Append('\n');
    }

    public string Save()
    {
        File.WriteAllText(_path, _text.ToString());
        return _path;
    }

    public void Dispose() => File.Delete(_path);
}
