using System.Diagnostics;
using System.Text.Json;

namespace Native.LibUsb.Bench.Report;

/// <summary>Represents the cost of starting a program that lists the devices.</summary>
/// <param name="Name">The program.</param>
/// <param name="Title">The title of the program in the report.</param>
/// <param name="Milliseconds">The elapsed time from the start of the program to its end, in milliseconds.</param>
/// <param name="MoreThanC">The elapsed time minus the elapsed time of the program in C in the same round.</param>
/// <param name="RatioToC">The elapsed time divided by the elapsed time of the program in C in the same round.</param>
/// <param name="MoreThanEmpty">
/// The value of <paramref name="MoreThanC"/>, minus the cost of the runtime. This cost is the elapsed time of an empty Native AOT program minus the elapsed
/// time of an empty program in C in the same round. If these empty programs did not run, the value is null.
/// </param>
/// <param name="ProcessorMilliseconds">The processor time in milliseconds.</param>
/// <param name="ResidentKib">The peak of the resident memory in KiB.</param>
/// <param name="FileBytes">The total size of the program's files, not including the system's libraries and the .NET runtime.</param>
internal sealed record StartCost(string Name, string Title, Spread Milliseconds, Spread MoreThanC, Spread? RatioToC, Spread? MoreThanEmpty, Spread ProcessorMilliseconds, int ResidentKib, long FileBytes);

/// <summary>
/// Starts several programs, one after another: programs that list the devices, and empty programs. The peak memory that the kernel reports for a process is
/// never smaller than the memory of its parent process. The launcher (bench/Start/measure.c) must therefore use less memory than the programs that it starts.
/// </summary>
internal static class Starts
{
    private static readonly ListProgram s_c = new("c", "C", ["artifacts/bench/list"], ["artifacts/bench/list"]);

    private static readonly ListProgram s_emptyC = new("empty-c", "C, empty", ["artifacts/bench/empty"], ["artifacts/bench/empty"]);
    private static readonly ListProgram s_emptyAot = new("empty-aot", "AOT, empty", ["artifacts/bench/list-empty/list"], ["artifacts/bench/list-empty/list"]);

    private static readonly ListProgram[] s_compiled =
    [
        s_c,
        s_emptyC,
        s_emptyAot,
        new("c-static", "C, libusb inside", ["artifacts/bench/list-static"], ["artifacts/bench/list-static"]),
        new("aot", "AOT", ["artifacts/bench/list-aot/list"], ["artifacts/bench/list-aot/list"]),
        new("aot-static", "AOT, libusb inside", ["artifacts/bench/list-aot-static/list"], ["artifacts/bench/list-aot-static/list"]),
    ];

    // Just-in-time compilation evicts so much data from the processor's caches that the programs that run afterwards become slower. The program that is
    // compiled just in time therefore runs in a separate group.
    private static readonly ListProgram[] s_jit =
    [
        s_c,
        new("jit", "JIT", ["dotnet", "artifacts/bench/list-jit/list.dll"], ["artifacts/bench/list-jit/list.dll", "artifacts/bench/list-jit/Native.LibUsb.dll"]),
    ];

    public static List<StartCost> Measure(int rounds) => [.. Measure(s_compiled, rounds), .. Measure(s_jit, rounds / 3).Skip(1)];

    private static List<StartCost> Measure(ListProgram[] programs, int rounds)
    {
        var start = new ProcessStartInfo("artifacts/bench/usbvbus/usbvbus") { RedirectStandardOutput = true };
        string[] arguments = ["run", "--device", "camera:speed=high", "--device", "source-sink:speed=high", "--", "artifacts/bench/measure", $"{rounds}", "3"];
        foreach (string argument in arguments.Concat(programs.SelectMany(static program => program.Command.Prepend("--"))))
            start.ArgumentList.Add(argument);
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"the list programs: exit code {process.ExitCode}");
        using JsonDocument document = JsonDocument.Parse(output);
        List<JsonElement> commands = [.. document.RootElement.GetProperty("commands").EnumerateArray()];
        double[] c = Numbers(commands[0], "wall_ns");
        double[]? runtime = null; // the time of the runtime in each round
        if (Array.IndexOf(programs, s_emptyC) is >= 0 and var emptyC && Array.IndexOf(programs, s_emptyAot) is >= 0 and var emptyAot)
            runtime = [.. Numbers(commands[emptyAot], "wall_ns").Zip(Numbers(commands[emptyC], "wall_ns"), static (aot, c) => aot - c)];
        return
        [
            .. programs.Select((program, i) => new StartCost(
                program.Name, program.Title,
                Spread.Of(Numbers(commands[i], "wall_ns")),
                Spread.Of(Numbers(commands[i], "wall_ns").Zip(c, static (one, other) => one - other)),
                Spread.Of(Numbers(commands[i], "wall_ns").Zip(c, static (one, other) => one / other)),
                runtime is null ? null : Spread.Of(Numbers(commands[i], "wall_ns").Zip(c, runtime).Select(static round => round.First - round.Second - round.Third)),
                Spread.Of(Numbers(commands[i], "processor_ns")),
                commands[i].GetProperty("peak_rss_kib").GetInt32(),
                program.Files.Sum(static file => new FileInfo(file).Length))),
        ];
    }

    private static double[] Numbers(JsonElement command, string name) =>
        [.. command.GetProperty(name).EnumerateArray().Select(static number => number.GetDouble() / 1e6)];

    private sealed record ListProgram(string Name, string Title, string[] Command, string[] Files);
}
