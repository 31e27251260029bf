namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Represents one cell of the matrix: what happens to a transfer, when, by whom, and who handles events.</summary>
public readonly record struct LifetimeCase(Moment Moment, Act Act, Actor Actor, Pump Pump)
{
    /// <summary>Gets every case that can be.</summary>
    public static IEnumerable<LifetimeCase> All =>
        from moment in Enum.GetValues<Moment>()
        from act in Enum.GetValues<Act>()
        from actor in Enum.GetValues<Actor>()
        from pump in Enum.GetValues<Pump>()
        let one = new LifetimeCase(moment, act, actor, pump)
        where one.IsPossible
        select one;

    // The rule: what is left out, and why it cannot be.
    private bool IsPossible =>
        // Without a pump no callback runs: none is in progress, none has been, and none can act.
        (Pump != Pump.Nobody || (Moment is not (Moment.InCallback or Moment.Completed) && Actor == Actor.AnotherThread))
        // Only who pumps by hand comes back to us between callbacks, and then no callback is in progress.
        && (Actor != Actor.PumpingThread || (Pump == Pump.ByHand && Moment != Moment.InCallback))
        // What is stopped must be there.
        && (Act != Act.StopEventThread || Pump == Pump.EventThread);
}
