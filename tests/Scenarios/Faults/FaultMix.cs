using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Faults;

/// <summary>
/// Creates the fault plans for the tests that compare a ring's data with the recorded faults. A plan injects a fault into about one in 15 URBs.
/// </summary>
internal static class FaultMix
{
    private const int Packet = 512;
    private const int Interrupted = 4, InputOutput = 5, NoMemory = 12;

    public static FaultPlan ForBulk(int seed)
    {
        FaultPlan plan = ForAll(seed);
        foreach (UrbStatus status in (UrbStatus[])[UrbStatus.Protocol, UrbStatus.Checksum, UrbStatus.BufferOverrun, UrbStatus.Overflow])
        {
            plan.Add(new FaultRule(FaultKind.Status) { Status = status, Probability = 0.003 })
                .Add(new FaultRule(FaultKind.Status) { Status = status, Length = Packet, Probability = 0.003 });
        }

        return plan
            .Add(new FaultRule(FaultKind.Status) { Status = UrbStatus.Stall, Probability = 0.001 })
            .Add(new FaultRule(FaultKind.Status) { Status = UrbStatus.Stall, Length = Packet, Probability = 0.001 })
            .Add(new FaultRule(FaultKind.Duplicate) { Probability = 0.003 })
            .Add(new FaultRule(FaultKind.ShortPacket) { Probability = 0.003 })
            .Add(new FaultRule(FaultKind.ShortPacket) { Length = 2 * Packet, Probability = 0.003 })
            .Add(new FaultRule(FaultKind.Babble) { Probability = 0.003 })
            .Add(new FaultRule(FaultKind.Babble) { Length = Packet, Probability = 0.003 });
    }

    public static FaultPlan ForIsochronous(int seed) => ForAll(seed)
        .Add(new FaultRule(FaultKind.Status) { Status = UrbStatus.Protocol, Probability = 0.003 })
        .Add(new FaultRule(FaultKind.Packets) { Pattern = "m", Probability = 0.003 })
        .Add(new FaultRule(FaultKind.Packets) { Pattern = "..pc.b.o..", First = 100, Probability = 0.02 })
        .Add(new FaultRule(FaultKind.Packets) { Pattern = "e", Probability = 0.001 });

    private static FaultPlan ForAll(int seed) => new FaultPlan(seed)
        .Add(new FaultRule(FaultKind.Refuse) { Error = NoMemory, Probability = 0.003 })
        .Add(new FaultRule(FaultKind.Refuse) { Error = Interrupted, Probability = 0.003 })
        .Add(new FaultRule(FaultKind.Refuse) { Error = InputOutput, Probability = 0.003 })
        .Add(new FaultRule(FaultKind.Never) { Probability = 0.001 })
        .Add(new FaultRule(FaultKind.Late) { Delay = TimeSpan.FromMilliseconds(1), Probability = 0.003 })
        .Add(new FaultRule(FaultKind.Reorder) { Delay = TimeSpan.FromMilliseconds(1), Probability = 0.005 });
}
