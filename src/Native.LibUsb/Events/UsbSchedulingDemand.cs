namespace Native.LibUsb;

/// <summary>Specifies what happens if the operating system refuses the scheduling that was requested for an event thread.</summary>
public enum UsbSchedulingDemand
{
    /// <summary>
    /// The thread runs without the refused scheduling. <see cref="UsbEventThread.RealTimeFailure"/> and <see cref="UsbEventThread.AffinityFailure"/> contain
    /// the reasons.
    /// </summary>
    BestEffort,

    /// <summary><see cref="UsbContext.StartEventThread"/> throws, and the new thread ends.</summary>
    Required,
}
