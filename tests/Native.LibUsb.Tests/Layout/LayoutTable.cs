using System.Runtime.InteropServices;
using System.Text.Json;

namespace Native.LibUsb.Tests.Layout;

/// <summary>Represents layouts.json, which the generator writes. The file contains clang's layout of every record for eight targets.</summary>
internal static class LayoutTable
{
    internal static IReadOnlyDictionary<string, IReadOnlyDictionary<string, RecordLayout>> Targets { get; } = Read();

    /// <summary>Gets the name of this machine's target in the table; null if the table has no such target.</summary>
    internal static string? ThisTarget { get; } = (RuntimeInformation.ProcessArchitecture, Environment.OSVersion.Platform) switch
    {
        (Architecture.X64, PlatformID.Win32NT) => "x86_64-pc-windows-msvc",
        (Architecture.Arm64, PlatformID.Win32NT) => "aarch64-pc-windows-msvc",
        (Architecture.X86, PlatformID.Win32NT) => "i686-pc-windows-msvc",
        (Architecture.Arm64, _) when OperatingSystem.IsMacOS() => "arm64-apple-macos13",
        (Architecture.X64, _) => "x86_64-linux-gnu",
        (Architecture.Arm64, _) => "aarch64-linux-gnu",
        (Architecture.X86, _) => "i386-linux-gnu",
        (Architecture.Arm, _) => "arm-linux-gnueabihf",
        _ => null,
    };

    private static Dictionary<string, IReadOnlyDictionary<string, RecordLayout>> Read()
    {
        using FileStream file = File.OpenRead(Repository.PathOf("tests", "Native.LibUsb.Tests", "Layout", "layouts.json"));
        var targets = JsonSerializer.Deserialize<Dictionary<string, Dictionary<string, RecordLayout>>>(file, JsonSerializerOptions.Web)!;
        return targets.ToDictionary(target => target.Key, target => (IReadOnlyDictionary<string, RecordLayout>)target.Value);
    }

    internal sealed record RecordLayout(int Size, IReadOnlyDictionary<string, int> Offsets);
}
