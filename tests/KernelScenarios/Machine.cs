namespace Native.LibUsb.Tests.Kernel;

/// <summary>Represents the machine with a real kernel and emulated devices: see tests/kernel/machine.sh.</summary>
public static class Machine
{
    /// <summary>The monitor of QEMU. Nothing else has a file of this name.</summary>
    public const string MonitorPort = "/dev/virtio-ports/monitor";

    /// <summary>Long enough for a machine that is emulated on a busy one; only a broken test waits that long.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    /// <summary>Gets whether this program runs in it.</summary>
    public static bool IsHere => File.Exists(MonitorPort);

    /// <summary>Waits for something that the kernel reports in a file, or that a callback notes.</summary>
    public static void WaitUntil(Func<bool> condition, string what) => Assert.True(SpinWait.SpinUntil(condition, Patience), $"It did not come: {what}.");
}
