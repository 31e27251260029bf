using CsCheck;
using Native.LibUsb.Streaming;

namespace Native.LibUsb.Tests.Streaming;

/// <summary>
/// Tests two linked lists of a ring's transfers, and moves transfers between them. Each linked list must agree with a <see cref="List{T}"/> to which the test
/// makes the same changes.
/// </summary>
public sealed class TransferListTests
{
    private const int Transfers = 7;
    private const int Places = 2 * Transfers; // each place selects a transfer and one of the two lists

    [Fact]
    public void Lists_that_share_transfers_agree_with_lists_of_the_runtime() => Gen.Select(Gen.Int[0, 4], Gen.Int[0, Places - 1]).Array[0, 60].Sample(
        static steps =>
        {
            RingTransfer[] all = RingTransfer.Several(Transfers);
            TransferList[] lists = [new(all), new(all)];
            List<int>[] models = [[], []];
            foreach ((int step, int place) in steps)
            {
                (int transfer, int list) = (place / 2, place % 2);
                Perform(step, all[transfer], ref lists[list], models[list], isFree: !models.Any(model => model.Contains(transfer)));
                for (int i = 0; i < lists.Length; i++)
                    Compare(lists[i], models[i], all);
            }
        },
        iter: Rounds.Of(5_000), threads: 1, print: static steps => string.Join(' ', steps));

    private static void Perform(int step, RingTransfer transfer, ref TransferList list, List<int> model, bool isFree)
    {
        switch (step)
        {
            case 0 or 1 when isFree:
                list.Append(transfer);
                model.Add(transfer.Index);
                break;
            case 2 when isFree:
                list.Prepend(transfer);
                model.Insert(0, transfer.Index);
                break;
            case 3 when model.Remove(transfer.Index):
                list.Remove(transfer);
                break;
            case 4 when transfer.Index == 0: // rarely
                list.Clear();
                model.Clear();
                break;
        }
    }

    private static void Compare(TransferList list, List<int> model, RingTransfer[] all)
    {
        string expected = string.Join(' ', model);
        Assert.Equal(model.Count, list.Count);
        List<int> forward = [], backward = [];
        for (RingTransfer? transfer = list.First; transfer is not null && forward.Count <= Transfers; transfer = list.After(transfer))
            forward.Add(transfer.Index);
        for (RingTransfer? transfer = list.Last; transfer is not null && backward.Count <= Transfers; transfer = transfer.Earlier < 0 ? null : all[transfer.Earlier])
            backward.Insert(0, transfer.Index);
        Assert.Equal(expected, string.Join(' ', forward));
        Assert.Equal(expected, string.Join(' ', backward));
    }
}
