using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Kernel;

/// <summary>
/// Tests a device node that the process has no permission to open. Root can open every node, because root has certain capabilities. The test therefore opens
/// the node on a thread that has dropped these capabilities.
/// </summary>
[SupportedOSPlatform("linux")]
public sealed unsafe partial class PermissionTests : IDisposable
{
    private readonly Watchdog _watchdog = new(120, "a test of permissions");
    private readonly VirtualBus _bus;

    public PermissionTests() => _bus = TestBus.CreateFor(this);

    public void Dispose()
    {
        TestBus.Disposed(this);
        _bus.Dispose();
        _watchdog.Dispose();
    }

    [Fact]
    public void Opening_without_permission_reports_the_missing_rule()
    {
        var loopback = new BulkLoopback();
        _bus.Attach(loopback);
        using var context = new UsbContext();
        using UsbDevice device = context.FindDevice(0x1209, 0x0011)!;
        string node = $"/dev/bus/usb/{loopback.BusNumber:D3}/{loopback.DeviceNumber:D3}";
        UnixFileMode mode = File.GetUnixFileMode(node);
        File.SetUnixFileMode(node, UnixFileMode.None);
        UsbException denied = Unprivileged(() => Assert.Throws<UsbException>(device.Open));
        Assert.Equal(UsbError.Access, denied.Error);
        Assert.Contains("ATTR{idVendor}==\"1209\", ATTR{idProduct}==\"0011\"", denied.Hint, StringComparison.Ordinal);

        // Open waits until the process gets the permission.
        var waiting = new ManualResetEventSlim();
        Task later = Task.Run(() =>
        {
            waiting.Wait();
            File.SetUnixFileMode(node, mode);
        });
        Unprivileged(() =>
        {
            waiting.Set();
            device.Open(Machine.Patience).Dispose();
            return 0;
        });
        later.GetAwaiter().GetResult();
    }

    /// <summary>Runs an action on a new thread that cannot bypass file permissions. If the action throws an exception, this method rethrows it.</summary>
    private static T Unprivileged<T>(Func<T> action)
    {
        T? result = default;
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            failure = Record.Exception(() =>
            {
                GiveUp();
                result = action();
            });
        });
        thread.Start();
        thread.Join();
        return failure is null ? result! : throw failure;
    }

    /// <summary>Drops the capabilities with which the calling thread could bypass file permissions (capabilities 1 and 2).</summary>
    private static void GiveUp()
    {
        const uint version3 = 0x20080522;
        const uint overrideModes = 1 << 1, readAll = 1 << 2;
        uint* header = stackalloc uint[] { version3, 0 };
        uint* sets = stackalloc uint[6]; // the effective, permitted and inheritable sets of the first 32 capabilities, then those of the other capabilities
        Assert.Equal(0, GetCapabilities(header, sets));
        sets[0] &= ~(overrideModes | readAll);
        Assert.Equal(0, SetCapabilities(header, sets));
    }

    [LibraryImport("libc", EntryPoint = "capget")]
    private static partial int GetCapabilities(uint* header, uint* sets);

    [LibraryImport("libc", EntryPoint = "capset")]
    private static partial int SetCapabilities(uint* header, uint* sets);
}
