using System.Globalization;

namespace Native.LibUsb;

// The members in this file are for controllers without scatter-gather. For such a controller, libusb divides a long bulk or interrupt transfer into several
// URBs.
public sealed unsafe partial class UsbDeviceHandle
{
    /// <summary>
    /// Gets whether libusb divides bulk and interrupt transfers of more than <see cref="UsbfsLimits.BulkPiece"/> bytes into several URBs.
    /// </summary>
    /// <remarks>
    /// libusb assumes that only the last URB of a transfer can overflow. After any overflow, libusb completes the transfer and frees its URBs, even if some
    /// URBs are still in flight. When those URBs end, the kernel and libusb write to freed memory.
    /// <para>The constructor of the handle reads the value from the kernel and stores it. A later request to the kernel could block, because the kernel
    /// locks the device while another thread changes a setting or clears a halt.</para>
    /// </remarks>
    internal bool DividesTransfers { get; }

    /// <summary>Throws an exception for a read that libusb would divide into several URBs.</summary>
    /// <exception cref="UsbException">libusb would divide the transfer.</exception>
    internal void CheckRead(byte endpoint, int length)
    {
        if (length <= UsbfsLimits.BulkPiece || !UsbEndpointAddress.IsIn(endpoint) || !DividesTransfers)
            return;
        throw new UsbException(
            UsbError.NotSupported, string.Create(CultureInfo.InvariantCulture, $"read {length:N0} bytes from endpoint 0x{endpoint:x2} in one transfer"),
            hint: string.Create(CultureInfo.InvariantCulture,
                $"The controller has no scatter-gather, and libusb would divide the transfer: use several transfers of at most {UsbfsLimits.BulkPiece:N0} bytes."));
    }

    /// <summary>Performs a synchronous transfer as several transfers, one after the other.</summary>
    private int MovePieces(UsbEndpoint endpoint, byte* data, int length, int* moved, uint milliseconds)
    {
        long begin = Environment.TickCount64;
        while (true)
        {
            int piece = Math.Min(length - *moved, UsbfsLimits.BulkPiece);
            int got = 0;
            uint left = milliseconds == 0 ? 0 : (uint)Math.Max(milliseconds - (Environment.TickCount64 - begin), 1);
            int result = MoveWhole(endpoint, data + *moved, piece, &got, left);
            *moved += got;
            if (result != 0 || got < piece || *moved == length)
                return result;
            if (!(IsOpen && endpoint.Interface.IsOpen)) // the next transfer would claim the interface again
                return (int)UsbError.NoDevice;
        }
    }
}
