namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>
/// Represents one case of <see cref="LifetimeMatrixTests"/>. A case consists of a moment in a transfer's lifetime, the action that the test performs at this
/// moment (the act), the thread that performs the act, and the thread that handles events.
/// </summary>
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

    // This property excludes the cases that cannot occur.
    private bool IsPossible =>
        // If no thread handles events, no callback runs. A callback then cannot be in progress, have completed or act.
        (Pump != Pump.Nobody || (Moment is not (Moment.InCallback or Moment.Completed) && Actor == Actor.AnotherThread))
        // A pumping thread is a thread of the test. It handles events, performs the act, and handles events again. A case with a pumping thread is possible
        // only if the test handles the events by hand and no callback is in progress.
        && (Actor != Actor.PumpingThread || (Pump == Pump.ByHand && Moment != Moment.InCallback))
        // A case can stop the event thread only if there is one.
        && (Act != Act.StopEventThread || Pump == Pump.EventThread);
}
