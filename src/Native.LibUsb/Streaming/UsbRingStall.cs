namespace Native.LibUsb.Streaming;

/// <summary>Specifies the reaction of a ring to a stall of its endpoint.</summary>
public enum UsbRingStall
{
    /// <summary>
    /// The ring stops with <see cref="UsbError.Pipe"/> after it has delivered all data that had arrived. The program can call
    /// <see cref="UsbEndpoint.ClearHalt"/> and start the ring again.
    /// </summary>
    Stop,

    /// <summary>
    /// The ring clears the halt (<see cref="UsbEndpoint.ClearHalt"/>, on the thread pool) and continues. After that, an output ring resends the data that the
    /// device has not taken.
    /// </summary>
    ClearHalt,
}
