using Xunit.Runner.InProc.SystemConsole;

namespace Native.LibUsb.Tests;

/// <summary>
/// Runs the tests like xunit's own entry point. If the arguments name a scenario of a test that needs a separate process, runs only this scenario.
/// </summary>
internal static class Program
{
    private static async Task<int> Main(string[] args) =>
        FreshProcess.IsScenario(args, out int exitCode) ? exitCode : await ConsoleRunner.Run(args);
}
