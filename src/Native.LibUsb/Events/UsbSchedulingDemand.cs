namespace Native.LibUsb;

/// <summary>What happens when the operating system does not give an event thread the scheduling that was asked for.</summary>
public enum UsbSchedulingDemand
{
    /// <summary>
    /// The thread runs as an ordinary one, and <see cref="UsbEventThread.RealTimeFailure"/> and <see cref="UsbEventThread.AffinityFailure"/> tell why.
    /// </summary>
    BestEffort,

    /// <summary><see cref="UsbContext.StartEventThread"/> throws, and no thread is left.</summary>
    Required,
}
