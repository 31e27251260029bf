using System.Runtime.CompilerServices;

namespace Native.LibUsb.Tests.Kernel;

/// <summary>Represents a test that runs the fully static program of <c>tests/StaticProgram</c>, whose path is in an environment variable.</summary>
public sealed class StaticProgramFactAttribute : FactAttribute
{
    public const string Variable = "NATIVE_LIBUSB_TEST_STATIC_PROGRAM";

    public StaticProgramFactAttribute([CallerFilePath] string? sourceFilePath = null, [CallerLineNumber] int sourceLineNumber = -1)
        : base(sourceFilePath, sourceLineNumber)
    {
        if (Program is null)
            Skip = $"{Variable} does not name the program";
    }

    /// <summary>Gets the path of the program; null when it was not built.</summary>
    public static string? Program => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } path ? path : null;
}
