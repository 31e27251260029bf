using Native.LibUsb.Testing;
using Native.LibUsb.Tests.Faults;
using Native.LibUsb.Tests.Streaming;

namespace Native.LibUsb.Tests.Transfers;

/// <summary>
/// Tests divided writes and long reads while the bus injects random faults. The calls must report exactly the bytes that were transferred, and every byte must
/// be correct.
/// </summary>
[PreloadOnly(KernelLimits.Faults)]
public sealed class DividedLoopbackTests : BusTest
{
    private const int Piece = 16_384, Packet = 512, MostPieces = 40;

    public DividedLoopbackTests()
        : base(new VirtualBusOptions { Capabilities = UsbfsCapabilities.WithoutScatterGather })
    {
    }

    [BusFact]
    public void Reported_bytes_have_moved_and_are_right()
    {
        var steps = new RandomSteps("Divided loopback", Rounds.Of(400));
        FaultPlan plan = Plan(steps.Seed);
        var ledger = new FaultLedger(plan, BulkLoopback.InAddress);
        var device = new BulkLoopback { Faults = plan };
        using UsbDeviceHandle handle = Open(device);
        UsbEndpoint input = handle.At(BulkLoopback.InAddress);
        using UsbTransfer output = handle.CreateTransfer();
        byte[] sent = new byte[MostPieces * Piece], received = new byte[MostPieces * Piece];
        new Random(steps.Seed).NextBytes(sent);
        int failed = 0;
        for (steps.Step = 0; steps.Step < steps.Steps; steps.Step++)
        {
            int length = (1 + steps.Below(MostPieces)) * Piece;
            int start = steps.Below(sent.Length - length + 1);
            output.SetBulkCopy(BulkLoopback.OutAddress, sent.AsSpan(start, length));
            output.Submit();
            Finish(output);
            int moved = output.ActualLength;
            failed += output.Status == UsbTransferStatus.Completed ? 0 : 1;
            Assert.Equal(output.Status == UsbTransferStatus.Completed, moved == length);
            Assert.Equal(moved, device.Waiting);

            for (int position = 0; position < moved;)
            {
                long lost = ledger.LostBytes;
                _ = input.TryRead(received.AsSpan(0, Math.Min(moved - position, (1 + steps.Below(4)) * Piece)), out int got, Patience);
                int wrong = sent.AsSpan(start + position, got).CommonPrefixLength(received.AsSpan(0, got));
                Assert.True(wrong == got, $"Round {steps.Step}: byte {position + wrong} of {moved} is wrong.");
                position += got + (int)(ledger.LostBytes - lost);
                Assert.Equal(moved - position, device.Waiting);
            }
        }

        Assert.True(failed > 0 || steps.Steps < 50);
        Assert.True(ledger.LostBytes > 0 || steps.Steps < 50);
    }

    private static FaultPlan Plan(int seed)
    {
        var plan = new FaultPlan(seed);
        foreach (int length in (int[])[0, Packet, 7 * Packet])
        {
            plan.Add(new FaultRule(FaultKind.Status) { Status = UrbStatus.Protocol, Length = length, Probability = 0.01 })
                .Add(new FaultRule(FaultKind.Status) { Status = UrbStatus.Checksum, Length = length, Probability = 0.01 })
                .Add(new FaultRule(FaultKind.ShortPacket) { Length = length, Probability = 0.01 })
                .Add(new FaultRule(FaultKind.Babble) { Length = length, Probability = 0.01 });
        }

        return plan.Add(new FaultRule(FaultKind.Late) { Delay = TimeSpan.FromMilliseconds(1), Probability = 0.01 });
    }
}
