using System.ComponentModel;
using System.Diagnostics;

namespace Native.LibUsb.Tests;

/// <summary>Represents the system's C compiler: the oracle for layouts, values and prototypes.</summary>
internal static class CCompiler
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2);

    /// <summary>Runs <c>cc</c> and gives what it printed. Fails the test with the compiler's own words.</summary>
    /// <param name="source">The C program, given on standard input.</param>
    /// <param name="arguments">Options; the input is added.</param>
    internal static string Run(string source, params string[] arguments)
    {
        (int exitCode, string output, string errors) = TryRun(source, arguments);
        Assert.True(exitCode == 0, $"cc {string.Join(' ', arguments)}: exit status {exitCode}\n{errors}");
        return output;
    }

    internal static (int ExitCode, string Output, string Errors) TryRun(string source, params string[] arguments)
    {
        var start = new ProcessStartInfo("cc", [.. arguments, "-x", "c", "-"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // Messages are matched and shown: in English, regardless of the machine's language.
        start.Environment["LC_ALL"] = "C";
        using Process process = Start(start);
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        process.StandardInput.Write(source);
        process.StandardInput.Close();
        if (!process.WaitForExit(s_limit))
        {
            process.Kill();
            Assert.Fail($"cc did not end within {s_limit}.");
        }
        return (process.ExitCode, output.GetAwaiter().GetResult(), errors.GetAwaiter().GetResult());
    }

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception)
        {
            throw new InvalidOperationException("These tests need a C compiler: no program `cc` was found (Debian: apt-get install gcc libc6-dev).");
        }
    }
}
