using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Bus;

/// <summary>Tests which version of glibc the preload library of the virtual bus needs.</summary>
public sealed partial class PreloadSymbolTests
{
    private static readonly Version s_oldest = new(2, 28);

    [Theory]
    [InlineData("x86_64-linux-gnu-gcc")]
    [InlineData("aarch64-linux-gnu-gcc")]
    public void The_library_needs_no_newer_glibc_than_documented(string compiler)
    {
        using Watchdog watchdog = new(seconds: 120);
        using TemporaryFolder folder = new();
        string library = folder.File("library.so");
        ProcessStartInfo start = new(Repository.PathOf("src", "Native.LibUsb.Testing", "native", "build.sh"), [compiler, library, "-s"]);
        VirtualBus.RemoveFrom(start);
        using (Process build = Process.Start(start)!)
        {
            build.WaitForExit();
            Assert.Equal(0, build.ExitCode);
        }

        string text = Encoding.Latin1.GetString(File.ReadAllBytes(library));
        Version[] needed = [.. VersionOfGlibc().Matches(text).Select(match => Version.Parse(match.Groups[1].Value))];
        Assert.NotEmpty(needed);
        Assert.All(needed, version => Assert.True(version <= s_oldest, string.Create(CultureInfo.InvariantCulture, $"The library needs glibc {version}.")));
        foreach (string name in (ReadOnlySpan<string>)["libpthread.so.0", "libdl.so.2", "libc.so.6"]) // an old glibc has the functions in these libraries
            Assert.Contains(name, text, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"GLIBC_([0-9.]+)\0")]
    private static partial Regex VersionOfGlibc();
}
