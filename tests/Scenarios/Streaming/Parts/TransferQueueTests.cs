using CsCheck;
using Native.LibUsb.Streaming;

namespace Native.LibUsb.Tests.Streaming;

/// <summary>
/// Tests a <see cref="TransferQueue"/> that belongs to no ring. The tests check the order of the transfers, and which transfers report losses. They also check
/// when the queue enters and leaves the fast path.
/// </summary>
public sealed class TransferQueueTests
{
    private static readonly Gen<QueueStep> s_step = Gen.Frequency(
        (12, Gen.Const(QueueStep.Submit)),
        (1, Gen.Const(QueueStep.SubmitRefused)),
        (4, Gen.Const(QueueStep.End)),
        (4, Gen.Const(QueueStep.TakeFirst)),
        (1, Gen.Const(QueueStep.RemoveAny)),
        (1, Gen.Const(QueueStep.Skip)),
        (4, Gen.Const(QueueStep.GiveBack)),
        (8, Gen.Const(QueueStep.EnterFast)),
        (8, Gen.Const(QueueStep.CompleteFast)),
        (1, Gen.Const(QueueStep.RefuseFast)),
        (1, Gen.Const(QueueStep.InterruptFast)),
        (1, Gen.Const(QueueStep.LeaveFast)));

    private static readonly Gen<(int Depth, int Spares, (QueueStep Step, int Choice)[] Steps)> s_run =
        Gen.Select(Gen.Int[1, 6], Gen.Int[1, 4], Gen.Select(s_step, Gen.Int[0, 30]).Array[0, 150]);

    [Fact]
    public void A_queue_agrees_with_its_model_on_the_fast_path_and_on_the_locked_path()
    {
        int runs = Rounds.Of(4_000);
        long[] performed = new long[Enum.GetValues<QueueStep>().Length];
        s_run.Sample(
            run =>
            {
                var queue = new QueueRun(run.Depth, run.Spares);
                foreach ((QueueStep step, int choice) in run.Steps)
                {
                    if (queue.Perform(step, choice))
                        performed[(int)step]++;
                }
            },
            iter: runs, threads: 1, print: static run => $"depth {run.Depth}, {run.Spares} spares: {string.Join(' ', run.Steps)}");
        if (runs >= 1_000)
            Assert.All(performed, static count => Assert.True(count > 100, "A kind of step was hardly possible."));
    }

    [Fact]
    public void A_loss_is_reported_by_the_transfer_after_it()
    {
        RingTransfer[] all = RingTransfer.Several(4);
        var queue = new TransferQueue(all, 3);
        RingTransfer first = Submit(), second = Submit(), third = Submit();
        queue.End(second);
        queue.Skip(second, new UsbRingLoss(1, 0, 20));
        Assert.Equal(new UsbRingLoss(1, 0, 20), third.LostBefore);
        Assert.True(first.LostBefore.IsNone);
        queue.End(third);
        queue.Skip(third, new UsbRingLoss(1, 0, 3));
        RingTransfer next = queue.TakeFree()!;
        queue.Append(next); // the first transfer after the third transfer
        Assert.Equal(new UsbRingLoss(2, 0, 23), next.LostBefore);
        queue.Refuse(next); // the next submission must report the same loss
        queue.PutFree(next);
        Assert.Equal(new UsbRingLoss(2, 0, 23), Submit().LostBefore);
        queue.PutFree(second);
        Assert.True(Submit().LostBefore.IsNone);

        RingTransfer Submit()
        {
            RingTransfer transfer = queue.TakeFree()!;
            queue.Append(transfer);
            return transfer;
        }
    }

    [Fact]
    public void The_fast_path_changes_neither_the_numbers_nor_the_order()
    {
        var run = new QueueRun(depth: 3, spares: 1);
        Repeat(QueueStep.Submit, 3);
        Assert.False(run.Perform(QueueStep.Submit, 0)); // the queue is full
        Repeat(QueueStep.EnterFast, 1);
        Repeat(QueueStep.CompleteFast, 5); // each of the four transfers becomes the spare transfer, and one of them twice
        Repeat(QueueStep.InterruptFast, 1);
        Assert.False(run.Perform(QueueStep.CompleteFast, 0));
        Repeat(QueueStep.LeaveFast, 1);
        Repeat(QueueStep.EnterFast, 1);
        Repeat(QueueStep.RefuseFast, 1);
        Assert.False(run.Perform(QueueStep.EnterFast, 0)); // a transfer has ended, and the queue is not full
        Repeat(QueueStep.TakeFirst, 1);
        Repeat(QueueStep.Submit, 1);
        Assert.False(run.Perform(QueueStep.EnterFast, 0)); // no transfer is free
        Repeat(QueueStep.GiveBack, 1);
        Repeat(QueueStep.EnterFast, 1);

        void Repeat(QueueStep step, int count)
        {
            for (int i = 0; i < count; i++)
                Assert.True(run.Perform(step, 0), $"{step} was not possible.");
        }
    }
}
