using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Faults;

/// <summary>
/// Tests fault plans and their rules. A plan must refuse invalid rules, and must apply each rule to the right URBs. Two plans with the same seed must inject
/// the same faults.
/// </summary>
[PreloadOnly(KernelLimits.Faults)]
public sealed class FaultPlanTests : BusTest
{
    [BusFact]
    public void A_rule_that_contradicts_itself_is_refused()
    {
        var plan = new FaultPlan();
        Assert.All(
            (FaultRule[])
            [
                new FaultRule(FaultKind.Late) { Every = 0 },
                new FaultRule(FaultKind.Late) { First = -1 },
                new FaultRule(FaultKind.Late) { Probability = 1.5 },
                new FaultRule(FaultKind.Late) { Delay = TimeSpan.FromSeconds(-1) },
                new FaultRule(FaultKind.Refuse) { Error = 0 },
                new FaultRule(FaultKind.ShortPacket) { Length = -1 },
            ],
            rule => Assert.Throws<ArgumentOutOfRangeException>(() => plan.Add(rule)));
        Assert.Throws<ArgumentException>(() => plan.Add(new FaultRule(FaultKind.Status) { Status = UrbStatus.Success }));
        Assert.Throws<ArgumentException>(() => plan.Add(new FaultRule(FaultKind.Packets) { Pattern = "..x" }));
        Assert.Throws<ArgumentException>(() => plan.Add(new FaultRule(FaultKind.Packets) { Pattern = "" }));
    }

    [BusFact]
    public void A_plan_belongs_to_one_device_and_is_set_before_the_device_is_attached()
    {
        var plan = new FaultPlan();
        using UsbDeviceHandle handle = Open(new BulkLoopback { Faults = plan });
        Assert.Throws<InvalidOperationException>(() => new BulkSourceSink { Faults = plan });
        var attached = new BulkSourceSink();
        Bus.Attach(attached);
        Assert.Throws<InvalidOperationException>(() => attached.Faults = new FaultPlan());
    }

    [BusFact]
    public void A_rule_hits_the_urbs_that_it_names()
    {
        Assert.Equal([3L, 5, 7], Hits(1, new FaultRule(FaultKind.Status) { Endpoint = BulkSourceSink.OutAddress, First = 3, Every = 2, Limit = 3 }));
        Assert.Empty(Hits(1, new FaultRule(FaultKind.Status) { Endpoint = BulkSourceSink.InAddress }));
    }

    [BusFact]
    public void A_seed_repeats_its_choice_of_URBs_and_another_seed_makes_another_choice()
    {
        var rule = new FaultRule(FaultKind.Status) { Probability = 0.25 };
        List<long> hits = Hits(1, rule);
        Assert.InRange(hits.Count, 20, 80); // of 200 URBs
        Assert.Equal(hits, Hits(1, rule));
        Assert.NotEqual(hits, Hits(2, rule));
    }

    [BusFact]
    public void The_first_rule_that_applies_hits_and_a_removed_one_does_not()
    {
        var stall = new FaultRule(FaultKind.Status) { Status = UrbStatus.Checksum };
        var device = new BulkSourceSink { Faults = new FaultPlan().Add(stall).Add(new FaultRule(FaultKind.Status) { Status = UrbStatus.Protocol }) };
        using UsbDeviceHandle handle = Open(device);
        Assert.Equal(UsbError.IO, handle.At(BulkSourceSink.OutAddress).TryWrite(new byte[512], out _, Patience));
        Assert.True(device.Faults.Remove(stall));
        Assert.False(device.Faults.Remove(stall));
        Assert.Equal(UsbError.IO, handle.At(BulkSourceSink.OutAddress).TryWrite(new byte[512], out _, Patience));
        device.Faults.Clear();
        Assert.Equal(512, handle.At(BulkSourceSink.OutAddress).Write(new byte[512], Patience));
        Assert.Equal("Checksum, Protocol", string.Join(", ", device.Faults.Faults.Select(fault => fault.Status)));
    }

    /// <summary>Writes 200 times, and returns the numbers of the URBs that the rule hit.</summary>
    private List<long> Hits(int seed, FaultRule rule)
    {
        var device = new BulkSourceSink { Faults = new FaultPlan(seed).Add(rule) };
        using (UsbDeviceHandle handle = Open(device))
        {
            UsbEndpoint endpoint = handle.At(BulkSourceSink.OutAddress);
            var failed = new List<long>();
            for (long i = 0; i < 200; i++)
            {
                if (endpoint.TryWrite(new byte[16], out _, Patience) != UsbError.Success)
                    failed.Add(i);
            }

            Assert.Equal(failed, device.Faults.Faults.Select(fault => fault.Urb));
        }

        device.Unplug();
        return [.. device.Faults.Faults.Select(fault => fault.Urb)];
    }
}
