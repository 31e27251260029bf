using System.Text;
using System.Text.Json;

namespace Native.LibUsb.Tests.Usbcap;

/// <summary>Specifies how usbcap ended.</summary>
internal sealed record UsbcapResult(int ExitCode, byte[] Output, string Error)
{
    public string OutputText => Encoding.UTF8.GetString(Output);

    /// <summary>It ended well and said nothing on standard error.</summary>
    public UsbcapResult Succeeded()
    {
        Assert.True(ExitCode == 0, $"exit code {ExitCode}: {Error}");
        Assert.Equal("", Error);
        return this;
    }

    /// <summary>It failed with this exit code and one line on standard error that has all of these in it.</summary>
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
