namespace Native.LibUsb;

/// <summary>How an event thread is made.</summary>
public sealed record UsbEventThreadOptions
{
    /// <summary>Its name, as debuggers and profilers show it.</summary>
    public string Name { get; init; } = "libusb events";
}
