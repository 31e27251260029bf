using System.Runtime.CompilerServices;

namespace Native.LibUsb.Tests.Kernel;

/// <summary>
/// Represents a test that runs a program compiled ahead of time. An environment variable contains the path of the program. Without the variable, the test is
/// skipped.
/// </summary>
public sealed class ProgramFactAttribute : FactAttribute
{
    /// <summary>Specifies the name of the variable with the path of usbcap.</summary>
    public const string Usbcap = "NATIVE_LIBUSB_TEST_USBCAP";

    /// <summary>Specifies the name of the variable with the path of the program of <c>tests/StaticProgram</c>.</summary>
    public const string StaticProgram = "NATIVE_LIBUSB_TEST_STATIC_PROGRAM";

    public ProgramFactAttribute(string variable, [CallerFilePath] string? sourceFilePath = null, [CallerLineNumber] int sourceLineNumber = -1)
        : base(sourceFilePath, sourceLineNumber)
    {
        if (PathIn(variable) is null)
            Skip = $"{variable} does not name the program";
    }

    /// <summary>Returns the path of a program; null if the variable is not set.</summary>
    public static string? PathIn(string variable) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } path ? path : null;
}
