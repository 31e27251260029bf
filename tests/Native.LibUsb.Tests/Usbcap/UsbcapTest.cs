using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Usbcap;

/// <summary>Represents a test of the published usbcap. The test has its own bus and folder.</summary>
public abstract class UsbcapTest : IDisposable
{
    private readonly Lazy<VirtualBus> _bus;
    private readonly TemporaryFolder _folder = new();

    protected UsbcapTest() => _bus = new Lazy<VirtualBus>(() => TestBus.Create(BusOptions));

    /// <summary>Specifies the packet size of the bulk device, which operates at high speed.</summary>
    protected const int BulkPacket = 512;

    protected static TimeSpan Patience { get; } = TimeSpan.FromSeconds(30);

    protected VirtualBusOptions BusOptions { get; set; } = new();

    protected VirtualBus Bus => _bus.Value;

    protected string Folder => _folder.Path;

    public void Dispose()
    {
        if (_bus.IsValueCreated)
            _bus.Value.Dispose();
        _folder.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Attaches a camera. By default, the camera sends as fast as the host reads, so that the tests do not depend on time.</summary>
    protected IsoSource AttachCamera(IsoSourceOptions? options = null)
    {
        var camera = new IsoSource(options ?? new IsoSourceOptions { Paced = false });
        Bus.Attach(camera);
        return camera;
    }

    internal UsbcapResult Run(params string[] arguments)
    {
        using UsbcapProcess process = Start(arguments);
        return process.Wait();
    }

    internal UsbcapProcess Start(params string[] arguments) => UsbcapProcess.Start(Bus, Folder, arguments);

    internal UsbcapResult RunShell(string script)
    {
        using UsbcapProcess process = UsbcapProcess.StartShell(Bus, Folder, script);
        return process.Wait();
    }

    protected string PathOf(string name) => _folder.File(name);

    protected byte[] Read(string name) => File.ReadAllBytes(PathOf(name));

    /// <summary>Checks that the data is the numbered pattern. The pattern must begin with packet 0, and must have no gaps and no wrong bytes.</summary>
    protected static NumberedPatternChecker CheckPattern(byte[] data, int packetSize)
    {
        var checker = new NumberedPatternChecker(packetSize, 0);
        checker.AddStream(data);
        Assert.True(checker.IsPerfect, checker.ToString());
        return checker;
    }
}
