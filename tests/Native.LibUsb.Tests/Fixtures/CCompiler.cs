using System.ComponentModel;
using System.Diagnostics;

namespace Native.LibUsb.Tests;

/// <summary>Represents the system's C compiler, which provides the expected layouts, values and prototypes for the tests.</summary>
internal static class CCompiler
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2);

    /// <summary>Runs <c>cc</c> and returns its output. If the compiler fails, the test fails with the compiler's messages.</summary>
    /// <param name="source">The C program, which the compiler reads from standard input.</param>
    /// <param name="arguments">The options. This method adds the option that makes the compiler read standard input.</param>
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
        // Tests compare the compiler's messages with English text, so the locale is the same on every machine.
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
