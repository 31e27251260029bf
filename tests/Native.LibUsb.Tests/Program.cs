using Xunit.Runner.InProc.SystemConsole;

namespace Native.LibUsb.Tests;

/// <summary>
/// Runs the tests in the same way as xunit's own entry point. A test that needs a separate process starts this program with the name of a scenario. The program
/// then runs only this scenario.
/// </summary>
internal static class Program
{
    private static async Task<int> Main(string[] args) =>
        FreshProcess.IsScenario(args, out int exitCode) ? exitCode : await ConsoleRunner.Run(args);
}
