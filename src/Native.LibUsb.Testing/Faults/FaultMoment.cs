namespace Native.LibUsb.Testing;

/// <summary>Specifies the stage of a URB at which a device is unplugged or reset.</summary>
public enum FaultMoment
{
    /// <summary>
    /// The program has requested the submission, but the URB has not been sent to the bus. <see cref="VirtualBusHost.Kernel"/> does not support this
    /// moment.
    /// </summary>
    Submission,

    /// <summary>The URB has reached its endpoint, and the device has not answered.</summary>
    Arrival,

    /// <summary>The device has answered, and the URB has been completed.</summary>
    Completion,
}
