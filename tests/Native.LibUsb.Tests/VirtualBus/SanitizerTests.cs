using System.Diagnostics;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Bus;

/// <summary>Tests the C code of the virtual bus with the compiler's sanitizers for memory errors, leaks and undefined behavior.</summary>
public sealed class SanitizerTests
{
    private const int Urbs = 200_000, Requests = 300_000;

    [BusFact]
    public void Random_use_causes_no_report_of_a_sanitizer()
    {
        using Watchdog watchdog = new(seconds: 900);
        string sources = Repository.PathOf("src", "Native.LibUsb.Testing", "native");
        using CProgram program = new("sanitized.c",
        [
            "-g", "-O1", "-std=gnu11", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer", "-Wno-unused-result",
            .. Directory.GetFiles(sources, "*.c"), "-ldl", "-lpthread",
        ]);
        VirtualDevice[] devices =
        [
            new BulkLoopback(new BulkLoopbackOptions { StreamsExponent = 4 }), new IsoSource(new IsoSourceOptions { Paced = false }), new InterruptSource(), new BulkSourceSink(),
        ];
        using VirtualBus bus = TestBus.Create();
        foreach (VirtualDevice device in devices)
            bus.Attach(device);
        string seed = $"{Environment.TickCount64}";
        string[] nodes = [.. devices.Select(device => $"/dev/bus/usb/{device.BusNumber:d3}/{device.DeviceNumber:d3}")];
        ProcessStartInfo start = new(program.Path, [seed, $"{Urbs}", $"{Requests}", .. nodes]) { RedirectStandardOutput = true, RedirectStandardError = true };
        bus.ApplyTo(start);
        start.Environment.Remove("LD_PRELOAD"); // the program contains the code of the library
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0 && errors.Result.Length == 0, $"Seed {seed}: the program ended with {process.ExitCode}.\n{output}{errors.Result}");
        Assert.Contains($"{Urbs} URBs, ", output, StringComparison.Ordinal);
    }
}
