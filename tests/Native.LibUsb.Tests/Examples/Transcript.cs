using System.Text;

namespace Native.LibUsb.Tests.Examples;

/// <summary>
/// Records the output of an example line by line. A test can pass an action that runs after each line. The action runs on the thread that has written the line,
/// and the example continues after the action has returned.
/// </summary>
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
