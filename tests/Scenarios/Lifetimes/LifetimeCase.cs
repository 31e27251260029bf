namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Represents one cell of the matrix: the moment in a transfer's life, the act, the thread that acts, and the thread that handles events.</summary>
public readonly record struct LifetimeCase(Moment Moment, Act Act, Actor Actor, Pump Pump)
{
    /// <summary>Gets every possible case.</summary>
    public static IEnumerable<LifetimeCase> All =>
        from moment in Enum.GetValues<Moment>()
        from act in Enum.GetValues<Act>()
        from actor in Enum.GetValues<Actor>()
        from pump in Enum.GetValues<Pump>()
        let one = new LifetimeCase(moment, act, actor, pump)
        where one.IsPossible
        select one;

    // Excludes the cases that cannot occur.
    private bool IsPossible =>
        // Without a pump, no callback runs, so no callback is in progress, has completed or can act.
        (Pump != Pump.Nobody || (Moment is not (Moment.InCallback or Moment.Completed) && Actor == Actor.AnotherThread))
        // Only a thread that pumps by hand returns to the test between callbacks. No callback is in progress at that time.
        && (Actor != Actor.PumpingThread || (Pump == Pump.ByHand && Moment != Moment.InCallback))
        // Only an existing event thread can be stopped.
        && (Act != Act.StopEventThread || Pump == Pump.EventThread);
}
