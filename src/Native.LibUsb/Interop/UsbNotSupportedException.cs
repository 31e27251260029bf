namespace Native.LibUsb;

/// <summary>
/// Represents the exception that is thrown when a program calls a function that the loaded libusb lacks. This libusb is too old, or was built without the
/// function.
/// </summary>
/// <remarks>
/// Install a libusb of at least <see cref="RequiredVersion"/>, or check with <see cref="UsbLibrary.HasFunction"/> whether libusb has the function. This
/// exception concerns only functions that libusb lacks. If the platform does not support an operation, libusb reports <c>LIBUSB_ERROR_NOT_SUPPORTED</c>.
/// </remarks>
public sealed class UsbNotSupportedException : NotSupportedException
{
    /// <summary>Initializes the exception for one function.</summary>
    /// <param name="functionName">The C name of the function.</param>
    /// <param name="requiredVersion">The first libusb version that has the function.</param>
    /// <param name="loadedVersion">The version of the libusb that is loaded.</param>
    public UsbNotSupportedException(string functionName, Version requiredVersion, Version loadedVersion)
        : this(functionName, requiredVersion, loadedVersion, reason: null)
    {
    }

    internal UsbNotSupportedException(string functionName, Version requiredVersion, Version loadedVersion, string? reason)
        : base($"{functionName} needs libusb {requiredVersion} or newer; {reason ?? $"the loaded libusb is {loadedVersion} and does not export it."}")
    {
        FunctionName = functionName;
        RequiredVersion = requiredVersion;
        LoadedVersion = loadedVersion;
    }

    /// <summary>Gets the C name of the missing function.</summary>
    public string FunctionName { get; }

    /// <summary>Gets the first libusb version that has the function.</summary>
    public Version RequiredVersion { get; }

    /// <summary>Gets the version of the libusb that is loaded.</summary>
    public Version LoadedVersion { get; }
}
