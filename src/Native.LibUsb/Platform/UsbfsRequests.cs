using System.Runtime.InteropServices;

namespace Native.LibUsb;

/// <summary>Makes requests of Linux's usbfs on the file of an open device, as libusb does.</summary>
internal static unsafe class UsbfsRequests
{
    private const int NoSuchDevice = 19; // ENODEV
    private const int Invalid = 22; // EINVAL

    // USBDEVFS_SETINTERFACE. Most architectures encode the direction of a request in the same way.
    private static readonly nuint s_setInterface = RuntimeInformation.ProcessArchitecture == Architecture.Ppc64le ? 0x40085504u : 0x80085504u;

    // The function that libusb calls, which a library that was loaded before libc may replace: an import from libc would not find that one.
    private static readonly delegate* unmanaged<int, nuint, void*, int> s_ioctl = FindFunction();

    /// <summary>Gets whether requests can be made.</summary>
    public static bool IsAvailable => s_ioctl is not null;

    /// <summary>Activates an alternate setting (USBDEVFS_SETINTERFACE).</summary>
    /// <param name="descriptor">The file, which has claimed the interface.</param>
    /// <param name="interfaceNumber"><c>bInterfaceNumber</c>.</param>
    /// <param name="alternateSetting"><c>bAlternateSetting</c>.</param>
    /// <returns>What libusb returns.</returns>
    public static UsbError SetInterface(int descriptor, int interfaceNumber, int alternateSetting)
    {
        int* argument = stackalloc int[2] { interfaceNumber, alternateSetting };
        Marshal.SetLastSystemError(0);
        int result = s_ioctl(descriptor, s_setInterface, argument);
        int error = Marshal.GetLastSystemError();
        return result >= 0 ? UsbError.Success : error switch
        {
            Invalid => UsbError.NotFound,
            NoSuchDevice => UsbError.NoDevice,
            _ => UsbError.Other,
        };
    }

    private static delegate* unmanaged<int, nuint, void*, int> FindFunction() =>
        OperatingSystem.IsLinux() && NativeLibrary.TryGetExport(NativeLibrary.GetMainProgramHandle(), "ioctl", out nint address)
            ? (delegate* unmanaged<int, nuint, void*, int>)address
            : null;
}
