namespace Native.LibUsb.Interop;

/// <summary>The functions and constants of libusb-1.0, with their C names.</summary>
public static unsafe partial class libusb
{
    internal const string LibraryName = "libusb-1.0";
}
