namespace Native.LibUsb;

/// <summary>Specifies what happens when the operating system does not give an event thread the scheduling that was requested.</summary>
public enum UsbSchedulingDemand
{
    /// <summary>
    /// The thread runs as an ordinary one, and <see cref="UsbEventThread.RealTimeFailure"/> and <see cref="UsbEventThread.AffinityFailure"/> give the reasons.
    /// </summary>
    BestEffort,

    /// <summary><see cref="UsbContext.StartEventThread"/> throws, and no thread is left.</summary>
    Required,
}
