using Native.LibUsb;

namespace Usbcap;

/// <summary>Represents the error that ends the program, with a one-line message for the user and an exit code for scripts.</summary>
internal sealed class FailureException(ExitCode code, string message, Exception? inner = null) : Exception(message, inner)
{
    public ExitCode Code { get; } = code;

    /// <summary>Converts an exception to a failure. The exit code of a libusb error depends on its error code.</summary>
    public static FailureException From(Exception exception) => exception switch
    {
        FailureException failure => failure,
        UsbException usb => new FailureException(CodeOf(usb.Error), usb.Message, usb),
        DllNotFoundException missing => new FailureException(ExitCode.Other, missing.Message, missing),
        OutOfMemoryException memory => new FailureException(ExitCode.Memory, "not enough memory", memory),
        UnauthorizedAccessException refused => new FailureException(ExitCode.Permission, refused.Message, refused),
        IOException io => new FailureException(ExitCode.Output, io.Message, io),
        _ => new FailureException(ExitCode.Other, $"{exception.GetType().Name}: {exception.Message}", exception),
    };

    /// <summary>Writes the failure to standard error as one line.</summary>
    public void Report()
    {
        string line = Message.ReplaceLineEndings(" ").TrimEnd();
        Console.Error.WriteLine($"usbcap: {line}");
    }

    private static ExitCode CodeOf(UsbError error) => error switch
    {
        UsbError.NoDevice => ExitCode.DeviceGone,
        UsbError.Access => ExitCode.Permission,
        UsbError.Busy => ExitCode.Busy,
        UsbError.NoMemory => ExitCode.Memory,
        UsbError.NotFound => ExitCode.NoEndpoint,
        _ => ExitCode.Other,
    };
}
