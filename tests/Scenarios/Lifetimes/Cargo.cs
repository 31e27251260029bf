namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Specifies the kind of a transfer and the owner of its memory.</summary>
public enum Cargo
{
    /// <summary>A bulk transfer in memory of its own.</summary>
    Bulk,

    /// <summary>A bulk transfer in memory of the caller, which is pinned for the transfer.</summary>
    CallersMemory,

    /// <summary>A bulk transfer in memory of the device's controller, which the handle frees when it closes.</summary>
    DeviceMemory,

    /// <summary>A bulk transfer in memory of the device's controller. The buffer is disposed at once, so the transfer is its last user.</summary>
    DisposedDeviceMemory,

    /// <summary>An isochronous transfer with several packets, in memory of its own.</summary>
    Isochronous,

    /// <summary>A control transfer in memory of its own.</summary>
    Control,
}
