namespace Native.LibUsb.Tests.Kernel;

/// <summary>Represents the virtual machine that tests/kernel/machine.sh boots. The machine has a real kernel and emulated devices.</summary>
public static class Machine
{
    /// <summary>Specifies the path of the QEMU monitor's port. This file exists only in the machine.</summary>
    public const string MonitorPort = "/dev/virtio-ports/monitor";

    /// <summary>
    /// Specifies the timeout for the waits in the tests. Even an emulated machine on a busy host needs less time, so only a broken test reaches the timeout.
    /// </summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    /// <summary>Gets whether this program runs in the machine.</summary>
    public static bool IsHere => File.Exists(MonitorPort);

    /// <summary>Waits for a condition that depends on a file of the kernel or on a callback.</summary>
    public static void WaitUntil(Func<bool> condition, string what) => Assert.True(SpinWait.SpinUntil(condition, Patience), $"The condition was not met: {what}.");
}
