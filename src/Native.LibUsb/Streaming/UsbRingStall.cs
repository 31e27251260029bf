namespace Native.LibUsb.Streaming;

/// <summary>Specifies what a ring does when its endpoint stalls.</summary>
public enum UsbRingStall
{
    /// <summary>
    /// It stops with <see cref="UsbError.Pipe"/> once all that had arrived is delivered. Call <see cref="UsbEndpoint.ClearHalt"/> and start it
    /// again, or give up.
    /// </summary>
    Stop,

    /// <summary>
    /// Clears the halt (<see cref="UsbEndpoint.ClearHalt"/>, on the thread pool) and goes on; the ring sends the data that the device
    /// has not taken again.
    /// </summary>
    ClearHalt,
}
