using Native.LibUsb.Streaming;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Streaming;

/// <summary>Represents the base of the tests of rings. The class provides an event thread, and methods that create the ring for an endpoint address.</summary>
public abstract class RingTest : BusTest
{
    protected RingTest(VirtualBusOptions? options = null)
        : base(options) => Events = Context.StartEventThread();

    protected UsbEventThread Events { get; }

    protected static UsbInputRing InputRing(UsbDeviceHandle handle, byte address, UsbRingOptions? options = null, int alternate = 0) =>
        handle.At(Endpoint(handle, address, alternate).Address).CreateInputRing(options);

    protected static UsbOutputRing OutputRing(UsbDeviceHandle handle, byte address, UsbRingOptions? options = null, int alternate = 0) =>
        handle.At(Endpoint(handle, address, alternate).Address).CreateOutputRing(options);

    internal static UsbEndpointDescriptor Endpoint(UsbDeviceHandle handle, byte address, int alternate = 0)
    {
        return handle.Device.GetActiveConfigurationDescriptor().Interfaces
            .SelectMany(one => one.AlternateSettings)
            .Where(setting => setting.Number == alternate)
            .SelectMany(setting => setting.Endpoints)
            .First(endpoint => endpoint.Address == address);
    }

    /// <summary>Creates a part of the pattern. The byte at each position is the low byte of position / 7 + position.</summary>
    protected static byte[] Pattern(long start, int length)
    {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++)
            bytes[i] = PatternByte(start + i);
        return bytes;
    }

    internal static byte PatternByte(long position) => (byte)((position / 7) + position);

    /// <summary>Checks that the bytes continue the pattern at <paramref name="position"/>, and advances the position.</summary>
    protected static void CheckPattern(ReadOnlySpan<byte> bytes, ref long position)
    {
        foreach (byte value in bytes)
        {
            if (value != PatternByte(position))
                Assert.Fail($"Byte {position} is {value}, not {PatternByte(position)}.");
            position++;
        }
    }
}
