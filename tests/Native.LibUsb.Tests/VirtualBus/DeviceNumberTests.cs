using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Bus;

/// <summary>Tests the numbers of devices on a bus. The highest number is 127.</summary>
public sealed class DeviceNumberTests
{
    private const int Most = 127;

    [BusFact]
    public void A_number_in_use_is_not_assigned_again()
    {
        using Watchdog watchdog = new();
        using VirtualBus bus = TestBus.Create();
        VirtualDevice[] staying = [.. Enumerable.Range(1, 5).Select(_ => new InterruptSource())];
        foreach (VirtualDevice device in staying)
            bus.Attach(device);
        InterruptSource coming = new();
        var seen = new HashSet<int>();
        for (int i = 0; i < 2 * Most; i++)
        {
            bus.Attach(coming);
            Assert.InRange(coming.DeviceNumber, 1, Most);
            Assert.DoesNotContain(staying, device => device.DeviceNumber == coming.DeviceNumber);
            seen.Add(coming.DeviceNumber);
            bus.Detach(coming);
        }

        Assert.Equal(Most - staying.Length - 1, seen.Count); // the root hub has one number too
    }

    [BusFact]
    public void A_full_bus_refuses_a_device()
    {
        using Watchdog watchdog = new();
        using VirtualBus bus = TestBus.Create();
        for (int i = 0; i < Most - 1; i++)
            bus.Attach(new InterruptSource());
        InterruptSource tooMany = new();
        Assert.Contains("127", Assert.Throws<InvalidOperationException>(() => bus.Attach(tooMany)).Message, StringComparison.Ordinal);
        Assert.False(tooMany.IsAttached);
        bus.Attach(tooMany, "3-1");
        Assert.Equal(2, tooMany.DeviceNumber);
    }
}
