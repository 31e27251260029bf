namespace Native.LibUsb.Testing;

/// <summary>Represents a device capability descriptor in the binary device object store (BOS) of a device.</summary>
/// <param name="Type"><c>bDevCapabilityType</c>.</param>
/// <param name="Data">The bytes after the three-byte header of the capability descriptor.</param>
public sealed record DeviceCapability(byte Type, ReadOnlyMemory<byte> Data)
{
    /// <summary>Creates a USB 2.0 extension (type 2).</summary>
    /// <param name="attributes"><c>bmAttributes</c>. Bit 1 is set if the device supports link power management.</param>
    public static DeviceCapability Usb20Extension(uint attributes) => new(2, BitConverter.GetBytes(attributes));

    /// <summary>Creates a SuperSpeed USB capability (type 3).</summary>
    /// <param name="attributes"><c>bmAttributes</c>. Bit 1 is set if the device supports latency tolerance messages.</param>
    /// <param name="speeds"><c>wSpeedsSupported</c>. Bits 0 to 3 stand for low, full, high and super speed.</param>
    /// <param name="lowestSpeed"><c>bFunctionalitySupport</c>: the lowest speed at which all functions are available.</param>
    /// <param name="u1ExitLatency"><c>bU1DevExitLat</c> in µs.</param>
    /// <param name="u2ExitLatency"><c>wU2DevExitLat</c> in µs.</param>
    public static DeviceCapability SuperSpeed(byte attributes = 0, ushort speeds = 0x0e, byte lowestSpeed = 1, byte u1ExitLatency = 10, ushort u2ExitLatency = 2047) =>
        new(3, new byte[] { attributes, (byte)speeds, (byte)(speeds >> 8), lowestSpeed, u1ExitLatency, (byte)u2ExitLatency, (byte)(u2ExitLatency >> 8) });

    /// <summary>Creates a container identifier (type 4).</summary>
    /// <param name="id">The identifier, in the byte order of <see cref="Guid.ToByteArray()"/>.</param>
    public static DeviceCapability ContainerId(Guid id) => new(4, (byte[])[0, .. id.ToByteArray()]);

    /// <summary>Creates a platform capability (type 5).</summary>
    /// <param name="platform">The platform's identifier.</param>
    /// <param name="data">The platform's data.</param>
    public static DeviceCapability Platform(Guid platform, ReadOnlySpan<byte> data) => new(5, (byte[])[0, .. platform.ToByteArray(), .. data]);

    internal void Write(List<byte> to)
    {
        to.AddRange([(byte)(3 + Data.Length), 0x10, Type]);
        to.AddRange(Data.Span);
    }
}
