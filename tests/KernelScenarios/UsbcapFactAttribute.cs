using System.Runtime.CompilerServices;

namespace Native.LibUsb.Tests.Kernel;

/// <summary>Represents a test that runs usbcap, published ahead of time, whose path is in an environment variable.</summary>
public sealed class UsbcapFactAttribute : FactAttribute
{
    public const string Variable = "NATIVE_LIBUSB_TEST_USBCAP";

    public UsbcapFactAttribute([CallerFilePath] string? sourceFilePath = null, [CallerLineNumber] int sourceLineNumber = -1)
        : base(sourceFilePath, sourceLineNumber)
    {
        if (Program is null)
            Skip = $"{Variable} does not name usbcap";
    }

    public static string? Program => Environment.GetEnvironmentVariable(Variable);
}
