namespace Native.LibUsb.Benchmarks.Running;

/// <summary>Provides the numbers with which the benchmarks find their devices on the bus.</summary>
internal static class BenchmarkDevices
{
    public const ushort Vendor = 0x1209;

    /// <summary>The product ID of the device with bulk endpoints IN 0x81 and OUT 0x01 on interface 0.</summary>
    public const ushort Bulk = 0x0014;

    /// <summary>
    /// The product ID of the device with the isochronous endpoint IN 0x81 on interface 0. Alternate setting 0 does not contain the endpoint, and every other
    /// setting does.
    /// </summary>
    public const ushort Isochronous = 0x0010;

    /// <summary>The product ID of the device with two configurations and many interfaces, alternate settings and endpoints.</summary>
    public const ushort ManyDescriptors = 0x00d0;

    /// <summary>The IN endpoint of the bulk device and of the isochronous device.</summary>
    public const byte In = 0x81;
}
