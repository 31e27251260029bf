using System.Runtime.InteropServices;

namespace Native.LibUsb;

/// <summary>Makes usbfs requests on the file of an open device, as libusb does on Linux.</summary>
internal static unsafe class UsbfsRequests
{
    private const int InputOutput = 5; // EIO
    private const int Busy = 16; // EBUSY
    private const int NoSuchDevice = 19; // ENODEV
    private const int Invalid = 22; // EINVAL
    private const int BrokenPipe = 32; // EPIPE
    private const int Protocol = 71; // EPROTO
    private const int TimedOut = 110; // ETIMEDOUT

    // USBDEVFS_SETINTERFACE. PowerPC encodes the direction of a request in other bits than the other architectures.
    private static readonly nuint s_setInterface = RuntimeInformation.ProcessArchitecture == Architecture.Ppc64le ? 0x40085504u : 0x80085504u;

    // USBDEVFS_GET_CAPABILITIES.
    private static readonly nuint s_getCapabilities = RuntimeInformation.ProcessArchitecture == Architecture.Ppc64le ? 0x4004551Au : 0x8004551Au;

    private const uint BulkContinuation = 0x02;
    private const uint NoPacketSizeLimit = 0x04;
    private const uint BulkScatterGather = 0x08;

    // The ioctl function that libusb calls. If a library was loaded before libc, it may replace libc's ioctl function. An import from libc would not find the
    // replacement, so this class searches the whole process for the function.
    private static readonly delegate* unmanaged<int, nuint, void*, int> s_ioctl = FindFunction();

    /// <summary>Gets whether requests can be made.</summary>
    public static bool IsAvailable => s_ioctl is not null;

    /// <summary>Activates an alternate setting (USBDEVFS_SETINTERFACE).</summary>
    /// <param name="descriptor">The file descriptor of the device. The interface was claimed through this file descriptor.</param>
    /// <param name="interfaceNumber"><c>bInterfaceNumber</c>.</param>
    /// <param name="alternateSetting"><c>bAlternateSetting</c>.</param>
    /// <returns>
    /// The error that libusb would return. If libusb would return only <see cref="UsbError.Other"/>, this method may return a more specific error.
    /// </returns>
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
            Busy => UsbError.Busy,
            BrokenPipe => UsbError.Pipe,
            TimedOut => UsbError.Timeout,
            InputOutput or Protocol => UsbError.IO,
            _ => UsbError.Other,
        };
    }

    /// <summary>
    /// Returns whether libusb divides bulk and interrupt transfers into pieces of <see cref="UsbfsLimits.BulkPiece"/> bytes. libusb does so only if the
    /// controller has no scatter-gather. The result is null if the request (USBDEVFS_GET_CAPABILITIES) fails.
    /// </summary>
    /// <param name="descriptor">The file descriptor of the device.</param>
    public static bool? DividesTransfers(int descriptor)
    {
        uint capabilities = 0;
        if (s_ioctl(descriptor, s_getCapabilities, &capabilities) < 0)
            return null;
        return (capabilities & BulkScatterGather) == 0 && ((capabilities & BulkContinuation) != 0 || (capabilities & NoPacketSizeLimit) == 0);
    }

    private static delegate* unmanaged<int, nuint, void*, int> FindFunction() =>
        OperatingSystem.IsLinux() && NativeLibrary.TryGetExport(NativeLibrary.GetMainProgramHandle(), "ioctl", out nint address)
            ? (delegate* unmanaged<int, nuint, void*, int>)address
            : null;
}
