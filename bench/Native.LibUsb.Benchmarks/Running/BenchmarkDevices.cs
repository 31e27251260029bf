namespace Native.LibUsb.Benchmarks.Running;

/// <summary>Specifies how the benchmarks find their devices on the bus.</summary>
internal static class BenchmarkDevices
{
    public const ushort Vendor = 0x1209;

    /// <summary>Bulk IN 0x81 and OUT 0x01 on interface 0.</summary>
    public const ushort Bulk = 0x0014;

    /// <summary>Isochronous IN 0x81 on interface 0, from alternate setting 1 on.</summary>
    public const ushort Isochronous = 0x0010;

    /// <summary>Two configurations with many interfaces, settings and endpoints.</summary>
    public const ushort ManyDescriptors = 0x00d0;

    /// <summary>The endpoint that sends, of both devices.</summary>
    public const byte In = 0x81;
}
