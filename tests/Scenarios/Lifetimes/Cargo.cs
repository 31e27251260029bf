namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Specifies what kind of transfer it is, and whose memory it uses.</summary>
public enum Cargo
{
    /// <summary>Bulk, in memory of its own.</summary>
    Bulk,

    /// <summary>Bulk, in memory of the caller's that is pinned for it.</summary>
    CallersMemory,

    /// <summary>Bulk, in memory of the device's controller that the handle frees when it closes.</summary>
    DeviceMemory,

    /// <summary>Bulk, in memory of the device's controller that is disposed at once: the transfer is the last that needs it.</summary>
    DisposedDeviceMemory,

    /// <summary>Isochronous with several packets, in memory of its own.</summary>
    Isochronous,

    /// <summary>A control request, in memory of its own.</summary>
    Control,
}
