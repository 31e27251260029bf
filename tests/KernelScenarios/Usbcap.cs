using System.Diagnostics;

namespace Native.LibUsb.Tests.Kernel;

/// <summary>Represents the command-line program usbcap, compiled ahead of time.</summary>
internal static class Usbcap
{
    /// <summary>Runs usbcap, checks that it succeeds, and returns its output.</summary>
    public static string Run(params string[] arguments)
    {
        using var process = new Process
        {
            StartInfo = new ProcessStartInfo(ProgramFactAttribute.PathIn(ProgramFactAttribute.Usbcap)!, arguments) { RedirectStandardOutput = true, RedirectStandardError = true },
        };
        process.Start();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"usbcap {string.Join(' ', arguments)}: exit code {process.ExitCode}: {errors.Result}");
        return output;
    }
}
