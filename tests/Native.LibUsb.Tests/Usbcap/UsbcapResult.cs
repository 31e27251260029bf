using System.Text;
using System.Text.Json;

namespace Native.LibUsb.Tests.Usbcap;

/// <summary>Represents the exit code and the output of a usbcap process.</summary>
internal sealed record UsbcapResult(int ExitCode, byte[] Output, string Error)
{
    public string OutputText => Encoding.UTF8.GetString(Output);

    /// <summary>Checks that usbcap succeeded and wrote nothing to standard error.</summary>
    public UsbcapResult Succeeded()
    {
        Assert.True(ExitCode == 0, $"exit code {ExitCode}: {Error}");
        Assert.Equal("", Error);
        return this;
    }

    /// <summary>Checks that usbcap failed with this exit code, and that standard error consists of a single line, which contains all <paramref
    /// name="parts"/>.</summary>
    public UsbcapResult Failed(int exitCode, params string[] parts)
    {
        Assert.True(ExitCode == exitCode, $"exit code {ExitCode}, not {exitCode}: {Error}{OutputText}");
        Assert.StartsWith("usbcap: ", Error);
        Assert.Equal(1, Error.Count(character => character == '\n'));
        Assert.EndsWith("\n", Error);
        foreach (string part in parts)
            Assert.Contains(part, Error);
        return this;
    }

    public JsonElement Json() => Parse(OutputText);

    public static JsonElement Parse(string text)
    {
        using JsonDocument document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }
}
