using Native.LibUsb.Testing;

namespace Native.LibUsb.Benchmarks.Running;

/// <summary>
/// Represents the bus with the sixteen devices that the benchmarks use. The bus is in this process, and the benchmarks run in other processes. The preload
/// library completes each URB of the endpoints 0x81 and 0x01 as soon as it is submitted. The benchmarks therefore measure only libusb and the code above it.
/// </summary>
internal sealed class BenchmarkBus : IDisposable
{
    private const int DeviceCount = 16;

    private readonly VirtualBus _bus = new(new VirtualBusOptions { Host = VirtualBusHost.Preload, ForChildProcesses = true });

    public BenchmarkBus()
    {
        _bus.Attach(new BulkSourceSink(new BulkSourceSinkOptions { ProductId = BenchmarkDevices.Bulk }));
        _bus.Attach(new IsoSource(new IsoSourceOptions { ProductId = BenchmarkDevices.Isochronous, Paced = false }));
        _bus.Attach(new VirtualDevice(ManyDescriptors()));
        for (ushort product = 0x0100; _bus.Devices.Count(device => !device.PortPath!.StartsWith("usb", StringComparison.Ordinal)) < DeviceCount; product++)
            _bus.Attach(new BulkSourceSink(new BulkSourceSinkOptions { ProductId = product }));
    }

    /// <summary>Gets the environment variables that the benchmark processes need.</summary>
    public IReadOnlyDictionary<string, string> Environment =>
        new Dictionary<string, string>(_bus.Environment) { ["NATIVE_LIBUSB_USBFS_LOCAL"] = "81,01" };

    public void Dispose() => _bus.Dispose();

    /// <summary>
    /// Describes a device with as many descriptors as a camera with a microphone: two configurations, an interface with nine alternate settings, and
    /// class-specific descriptors.
    /// </summary>
    private static DeviceDescription ManyDescriptors()
    {
        byte[] extra = [.. Enumerable.Repeat((byte[])[9, 0x24, 1, 0, 1, 100, 0, 1, 1], 12).SelectMany(descriptor => descriptor)];
        AlternateSetting[] video = [.. Enumerable.Range(0, 9).Select(Video)];
        AlternateSetting control = new(new EndpointDescription(0x83, EndpointKind.Interrupt, 16) { Extra = new byte[] { 5, 0x25, 3, 16, 0 } }) { Class = 14, Subclass = 1, Extra = extra };
        InterfaceDescription[] interfaces = [new(0, control), new(1, video), new(2, new AlternateSetting { Class = 1, Subclass = 1, Extra = extra }), new(3, video.Take(3).Select(Microphone).ToArray())];
        return new DeviceDescription
        {
            ProductId = BenchmarkDevices.ManyDescriptors,
            Configurations = [new ConfigurationDescription(interfaces) { Value = 1 }, new ConfigurationDescription(interfaces) { Value = 2 }],
        };

        AlternateSetting Video(int setting) => setting == 0
            ? new AlternateSetting { Class = 14, Subclass = 2, Extra = extra }
            : new AlternateSetting(new EndpointDescription(0x82, EndpointKind.Isochronous, Math.Min(1024, 128 * setting))) { Class = 14, Subclass = 2 };

        static AlternateSetting Microphone(AlternateSetting _, int setting) => setting == 0
            ? new AlternateSetting { Class = 1, Subclass = 2 }
            : new AlternateSetting(new EndpointDescription(0x84, EndpointKind.Isochronous, 96 * setting) { Extra = new byte[] { 7, 0x25, 1, 1, 0, 0, 0 } }) { Class = 1, Subclass = 2 };
    }
}
