namespace Native.LibUsb.Tests;

/// <summary>The tests are run by a test host. As a program they run one scenario, for a test that needs a process of its own.</summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        if (FreshProcess.IsScenario(args, out int exitCode))
            return exitCode;
        Console.Error.WriteLine("Run the tests with dotnet test.");
        return 2;
    }
}
