using Drivers.Serial;
using Drivers.Tests.Devices;

namespace Drivers.Tests.Serial;

/// <summary>Represents a test of a serial port on an <see cref="FtdiAdapter"/>.</summary>
public abstract class FtdiTest : BusTest
{
    private protected FtdiStream Plug(FtdiAdapter adapter)
    {
        Bus.Attach(adapter);
        using UsbDevice device = Context.FindDevice(FtdiStream.VendorId, FtdiStream.ProductId)!;
        return FtdiStream.Open(device);
    }

    /// <summary>
    /// Returns a pattern whose period differs from the length of a packet, so that each packet contains different bytes. If the driver leaves a status byte in
    /// the data, the bytes after it are at wrong positions, and the test fails.
    /// </summary>
    protected static byte[] Pattern(int length)
    {
        byte[] data = new byte[length];
        for (int i = 0; i < length; i++)
            data[i] = (byte)((i * 7) + (i / 251));
        return data;
    }
}
