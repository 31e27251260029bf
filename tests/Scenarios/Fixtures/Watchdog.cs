using System.Globalization;
using System.Text;

namespace Native.LibUsb.Tests;

/// <summary>Ends the process if a test hangs. Before the watchdog ends the process, it reports in which system call each thread waits.</summary>
/// <remarks>A test that waits for native code creates a watchdog in its first line: <c>using Watchdog watchdog = new();</c></remarks>
public sealed class Watchdog : IDisposable
{
    private readonly Timer _timer;
    private readonly string _test;

    public Watchdog(double seconds = 60, [System.Runtime.CompilerServices.CallerMemberName] string test = "")
    {
        _test = test;
        Seconds = seconds;
        _timer = new Timer(static self => ((Watchdog)self!).Bark(), this, TimeSpan.FromSeconds(seconds), Timeout.InfiniteTimeSpan);
    }

    /// <summary>
    /// Gets or sets the name of the running test. <see cref="RunningTestAttribute"/> sets this name. A watchdog itself knows only the name of the method that
    /// created the watchdog, and this method may be a helper.
    /// </summary>
    public static string? RunningTest { get; set; }

    /// <summary>Gets the time that the test may take.</summary>
    public double Seconds { get; }

    public void Dispose() => _timer.Dispose();

    private void Bark()
    {
        string report = $"{(RunningTest is null ? "" : $"{RunningTest}: ")}{_test} did not end within {Seconds} s. Threads:\n{Threads()}";
        Console.Error.WriteLine(report);
        Console.Error.Flush();
        Environment.FailFast(report);
    }

    /// <summary>
    /// Gets a line for each thread of the process. The line contains the thread's name, its system call, and the kernel function in which the thread waits.
    /// </summary>
    private static string Threads()
    {
        StringBuilder text = new();
        if (!Directory.Exists("/proc/self/task"))
            return "(this system does not list the threads of a process)";
        foreach (string thread in Directory.GetDirectories("/proc/self/task"))
            text.Append(CultureInfo.InvariantCulture, $"  {Path.GetFileName(thread)} {Read(thread, "comm"),-20} wchan {Read(thread, "wchan"),-24} syscall {Read(thread, "syscall")}\n");
        return text.ToString();
    }

    private static string Read(string thread, string file)
    {
        try
        {
            return File.ReadAllText(Path.Combine(thread, file)).Trim();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return "?";
        }
    }
}
