using Drivers.Serial;
using Drivers.Tests.Devices;

namespace Drivers.Tests.Serial;

/// <summary>What the tests of the serial port share.</summary>
public abstract class FtdiTest : BusTest
{
    private protected FtdiStream Plug(FtdiAdapter adapter)
    {
        Bus.Attach(adapter);
        using UsbDevice device = Context.FindDevice(FtdiStream.VendorId, FtdiStream.ProductId)!;
        return FtdiStream.Open(device);
    }

    /// <summary>Makes bytes in which a status that was not removed shows: no period is that of the packets.</summary>
    protected static byte[] Pattern(int length)
    {
        byte[] data = new byte[length];
        for (int i = 0; i < length; i++)
            data[i] = (byte)((i * 7) + (i / 251));
        return data;
    }
}
