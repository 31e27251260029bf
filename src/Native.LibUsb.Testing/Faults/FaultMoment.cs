namespace Native.LibUsb.Testing;

/// <summary>Specifies the moment, in the steps of a URB, at which a device is unplugged or reset.</summary>
public enum FaultMoment
{
    /// <summary>After the program has requested the submission of the URB, before the URB is sent. Not with <see cref="VirtualBusHost.Kernel"/>.</summary>
    Submission,

    /// <summary>After the URB has reached its endpoint, before the device answers.</summary>
    Arrival,

    /// <summary>After the device has answered and the URB has been given back.</summary>
    Completion,
}
