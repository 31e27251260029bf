using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Native.LibUsb.Testing;

/// <summary>Provides access to a device's node in the kernel's usbfs.</summary>
internal static unsafe class UsbfsNode
{
    // USBDEVFS_CONTROL: _IOWR('U', 0, struct usbdevfs_ctrltransfer)
    private static nuint ControlRequest => (nuint)((3u << 30) | ((uint)sizeof(ControlTransfer) << 16) | ('U' << 8));

    /// <summary>Requests the status of a device and waits for the answer. When the answer arrives, the kernel has already received everything that
    /// the device sent earlier.</summary>
    /// <returns>False if the device is gone or does not answer in time.</returns>
    public static bool TryAskForStatus(int bus, int number, TimeSpan patience)
    {
        const byte fromDevice = 0x80, getStatus = 0;
        ushort status;
        ControlTransfer transfer = new() { RequestType = fromDevice, Request = getStatus, Length = sizeof(ushort), TimeoutMilliseconds = (uint)patience.TotalMilliseconds, Data = &status };
        try
        {
            using SafeFileHandle node = File.OpenHandle(string.Create(CultureInfo.InvariantCulture, $"/dev/bus/usb/{bus:d3}/{number:d3}"), FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            return Libc.Control((int)node.DangerousGetHandle(), ControlRequest, &transfer) >= 0;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false; // the device is gone
        }
    }

    /// <summary>Represents the C structure usbdevfs_ctrltransfer.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct ControlTransfer
    {
        public byte RequestType;
        public byte Request;
        public ushort Value;
        public ushort Index;
        public ushort Length;
        public uint TimeoutMilliseconds;
        public void* Data;
    }
}
