using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>
/// Tests every pair of acts: two threads perform the two acts at the same time. An act is an operation on a transfer, or on an object that transfers need
/// (<see cref="RacingAct"/>). The library must either perform or refuse each act, and every submission must complete. No call may hang, leak memory or use
/// freed memory.
/// </summary>
public sealed class RacingActsTests : IDisposable
{
    private readonly VirtualBus _bus = TestBus.Create();
    private readonly LifetimeDevice _device = new();
    private readonly Racer _racer = new();

    public void Dispose()
    {
        _racer.Dispose();
        _bus.Dispose();
    }

    [BusTheory]
    [InlineData(Pump.EventThread)]
    [InlineData(Pump.ByHand)]
    [InlineData(Pump.Nobody)]
    public void Two_racing_acts_leave_nothing_behind(Pump pump)
    {
        (RacingAct, RacingAct)[] pairs = PairsOf(RacingAct.All);
        for (int round = 0; round < Rounds.Of(pairs.Length); round++)
        {
            (RacingAct one, RacingAct other) = pairs[round % pairs.Length];
            using var watchdog = new Watchdog(test: $"{one} against {other}, {pump}, round {round}");
            try
            {
                using var stage = new Stage(_bus, _device, Load.Everything, withEventThread: pump == Pump.EventThread);
                Thread? pumping = pump == Pump.ByHand ? StartPumping(stage.Context) : null;
                foreach (TestedTransfer transfer in stage.Transfers.Skip(round % 2)) // all transfers are in flight, or one is at rest
                    transfer.Submit();
                _racer.Race(() => one.Do(stage), () => other.Do(stage));
                stage.Close();
                pumping?.Join(); // the last thread that uses the context exits it
                stage.CheckEnd();
            }
            catch (Exception exception)
            {
                Assert.Fail($"{one} against {other}, {pump}, round {round}: {exception}");
            }
        }
    }

    [BusFact]
    public void Two_racing_acts_on_one_transfer_leave_nothing_behind()
    {
        const int RoundsOfEach = 150;
        (RacingAct, RacingAct)[] pairs = PairsOf(RacingAct.OnTransfers);
        Cargo[] cargos = [Cargo.Bulk, Cargo.CallersMemory, Cargo.Isochronous, Cargo.Control];
        using var stage = new Stage(_bus, _device, Load.Nothing, withEventThread: true);
        for (int round = 0; round < Rounds.Of(RoundsOfEach * pairs.Length); round++)
        {
            (RacingAct one, RacingAct other) = pairs[round % pairs.Length];
            using var watchdog = new Watchdog(test: $"{one} against {other}, round {round}");
            using var tested = new TestedTransfer(stage.Handle, cargos[round / 2 % cargos.Length]);
            stage.Transfers.Add(tested);
            try
            {
                if (round % 2 == 0)
                    tested.Submit();
                _racer.Race(() => one.Do(stage), () => other.Do(stage));
                tested.Transfer.Dispose();
                stage.WaitUntil(() => tested.Transfer.IsDisposed);
                tested.CheckEnd();
            }
            catch (Exception exception)
            {
                Assert.Fail($"{one} against {other}, {tested.Cargo}, round {round}: {exception}");
            }

            stage.Transfers.Clear();
        }

        stage.Close();
        stage.CheckEnd();
    }

    /// <summary>
    /// Gets all pairs of acts, including pairs of equal acts. The order of the pairs is random, but the same in each run. A test with few rounds uses only the
    /// first pairs. Because of the random order, these pairs contain most acts.
    /// </summary>
    private static (RacingAct One, RacingAct Other)[] PairsOf(IReadOnlyList<RacingAct> acts)
    {
        (RacingAct, RacingAct)[] pairs = [.. from i in Enumerable.Range(0, acts.Count) from j in Enumerable.Range(i, acts.Count - i) select (acts[i], acts[j])];
        new Random(7).Shuffle(pairs);
        return pairs;
    }

    private static Thread StartPumping(UsbContext context)
    {
        var thread = new Thread(() =>
        {
            try
            {
                while (true)
                    context.HandleEvents();
            }
            catch (ObjectDisposedException)
            {
                // The context was disposed at the end of the round.
            }
        });
        thread.Start();
        return thread;
    }
}
