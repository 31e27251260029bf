using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Native.LibUsb.Bench.Report;

/// <summary>Represents the machine on which the numbers were measured.</summary>
internal sealed record Machine(string Processor, int Processors, long MemoryMib, string System, string Kernel, string Sdk, string Runtime, string AotRuntime, string LibUsb, string Compiler, string Python)
{
    public static Machine This() => new(
        File.ReadLines("/proc/cpuinfo").FirstOrDefault(static line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim() ?? "unknown",
        Environment.ProcessorCount,
        GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 20,
        File.ReadLines("/etc/os-release").FirstOrDefault(static line => line.StartsWith("PRETTY_NAME=", StringComparison.Ordinal))?.Split('=')[1].Trim('"') ?? "unknown",
        Told("uname", "-r"),
        Told("dotnet", "--version"),
        RuntimeInformation.FrameworkDescription,
        Environment.GetEnvironmentVariable("BENCH_AOT_RUNTIME") ?? "unknown",
        Told("pkg-config", "--modversion", "libusb-1.0"),
        Told("cc", "--version"),
        $"{Told("/usr/bin/python3", "--version")}, python-libusb1 {Told("dpkg-query", "-W", "-f=${Version}", "python3-usb1")}");

    private static string Told(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true };
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return output.Split('\n')[0].Trim();
    }
}
