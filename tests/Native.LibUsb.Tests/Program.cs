using Xunit.Runner.InProc.SystemConsole;

namespace Native.LibUsb.Tests;

/// <summary>Runs the tests, as xunit's own entry point does, or one scenario for a test that needs a separate process.</summary>
internal static class Program
{
    private static async Task<int> Main(string[] args) =>
        FreshProcess.IsScenario(args, out int exitCode) ? exitCode : await ConsoleRunner.Run(args);
}
