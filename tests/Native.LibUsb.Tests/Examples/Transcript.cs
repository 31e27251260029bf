using System.Text;

namespace Native.LibUsb.Tests.Examples;

/// <summary>Represents the output of an example, line by line. A test may handle a line on the thread that writes the line, before the example continues.</summary>
internal sealed class Transcript(Action<string>? onLine = null) : TextWriter
{
    private readonly List<string> _lines = [];

    public override Encoding Encoding => Encoding.UTF8;

    public IReadOnlyList<string> Lines => _lines;

    public override void Write(char value) => throw new NotSupportedException("Examples write whole lines.");

    public override void WriteLine(string? value)
    {
        _lines.Add(value!);
        onLine?.Invoke(value!);
    }
}
