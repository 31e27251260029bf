using System.CommandLine;
using System.Diagnostics;
using System.Globalization;

namespace Native.LibUsb.Bench;

/// <summary>
/// Runs a program, and reports how well the machine scheduled threads while the program ran. The report helps to explain why the program lost data.
/// </summary>
internal static class SchedulingCommand
{
    private static readonly TimeSpan s_tick = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan s_late = TimeSpan.FromMilliseconds(20);

    public static Command Create()
    {
        Argument<string[]> program = new("program") { Description = "the program and its arguments", Arity = ArgumentArity.OneOrMore };
        Command command = new("scheduling", "Runs a program, and reports how well the machine scheduled threads while the program ran.") { program };
        command.SetAction(result => Run(result.GetValue(program)!));
        return command;
    }

    private static int Run(string[] program)
    {
        long stolen = ReadStolenTicks();
        long began = Stopwatch.GetTimestamp();
        using Process process = Process.Start(program[0], program[1..]);
        (TimeSpan longest, int gaps) = MeasureGaps(process);
        double seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        const double ticksPerSecond = 100; // of /proc/stat
        double steal = (ReadStolenTicks() - stolen) / ticksPerSecond;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  scheduling: {steal:F2} s of {seconds * Environment.ProcessorCount:F0} s of processor time were stolen, a thread that wakes every {s_tick.TotalMilliseconds:F0} ms was at most {longest.TotalMilliseconds:F1} ms late, and {gaps} times more than {s_late.TotalMilliseconds:F0} ms late"));
        return process.ExitCode;
    }

    // This thread has the same priority as the threads of the measured program and of the bus. If this thread wakes late, the other threads may also have been
    // delayed.
    private static (TimeSpan Longest, int Gaps) MeasureGaps(Process process)
    {
        TimeSpan longest = TimeSpan.Zero;
        int gaps = 0;
        for (long last = Stopwatch.GetTimestamp(); !process.WaitForExit(s_tick);)
        {
            long now = Stopwatch.GetTimestamp();
            TimeSpan late = Stopwatch.GetElapsedTime(last, now) - s_tick;
            last = now;
            if (late > longest)
                longest = late;
            if (late > s_late)
                gaps++;
        }

        return (longest, gaps);
    }

    /// <summary>
    /// Returns the stolen time in ticks. During this time, a processor of this virtual machine was ready to run, but the hypervisor ran other machines.
    /// </summary>
    private static long ReadStolenTicks()
    {
        const int steal = 8; // cpu user nice system idle iowait irq softirq steal
        string[] fields = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields.Length > steal ? long.Parse(fields[steal], CultureInfo.InvariantCulture) : 0;
    }
}
