namespace Native.LibUsb.Tests.Kernel;

/// <summary>Represents the machine with a real kernel and emulated devices: see tests/kernel/machine.sh.</summary>
public static class Machine
{
    /// <summary>Specifies the port of the QEMU monitor. Only the machine has a file with this name.</summary>
    public const string MonitorPort = "/dev/virtio-ports/monitor";

    /// <summary>Specifies the time that a test waits: long enough for an emulated machine on a busy host, so that only a broken test waits that long.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    /// <summary>Gets whether this program runs in the machine.</summary>
    public static bool IsHere => File.Exists(MonitorPort);

    /// <summary>Waits for a condition that depends on a file of the kernel or on a callback.</summary>
    public static void WaitUntil(Func<bool> condition, string what) => Assert.True(SpinWait.SpinUntil(condition, Patience), $"The condition was not met: {what}.");
}
