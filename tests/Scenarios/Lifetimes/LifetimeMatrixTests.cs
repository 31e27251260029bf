using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>
/// Tests every operation that ends a transfer (<see cref="Act"/>). The test performs each operation at every stage of a transfer's lifetime
/// (<see cref="Moment"/>) and on every kind of thread (<see cref="Actor"/>). No call may hang, leak memory or use freed memory.
/// </summary>
public sealed class LifetimeMatrixTests : IDisposable
{
    private readonly VirtualBus _bus = TestBus.Create();
    private readonly LifetimeDevice _device = new();

    public static IEnumerable<object[]> MomentsAndActs => LifetimeCase.All.Select(one => (one.Moment, one.Act)).Distinct().Select(one => new object[] { one.Moment, one.Act });

    public void Dispose() => _bus.Dispose();

    [BusTheory]
    [MemberData(nameof(MomentsAndActs))]
    public void Every_transfer_ends_cleanly(Moment moment, Act act)
    {
        IReadOnlyList<Load> loads = Load.For(act);
        foreach (LifetimeCase one in LifetimeCase.All.Where(one => one.Moment == moment && one.Act == act))
        {
            foreach (Load load in loads.Take(Rounds.Of(loads.Count)))
            {
                try
                {
                    LifetimeRun.Play(_bus, _device, one, load);
                }
                catch (Exception exception)
                {
                    Assert.Fail($"{one} with {load}: {exception}");
                }
            }
        }
    }
}
