namespace Native.LibUsb.Streaming;

/// <summary>What a ring does when its endpoint stalls.</summary>
public enum UsbRingStall
{
    /// <summary>
    /// It stops with <see cref="UsbError.Pipe"/> once all that had arrived is delivered. Call <see cref="UsbEndpoint.ClearHalt"/> and start it
    /// again, or give up.
    /// </summary>
    Stop,

    /// <summary>
    /// Clears the halt (<see cref="UsbEndpoint.ClearHalt"/>, on the thread pool) and goes on; of what was to be sent, what the device has not
    /// taken is sent again.
    /// </summary>
    ClearHalt,
}
