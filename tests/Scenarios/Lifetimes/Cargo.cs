namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Specifies the kind of a transfer and the owner of the transfer's memory.</summary>
public enum Cargo
{
    /// <summary>The transfer is a bulk transfer that owns its memory.</summary>
    Bulk,

    /// <summary>The transfer is a bulk transfer in the caller's memory, which is pinned for the transfer.</summary>
    CallersMemory,

    /// <summary>The transfer is a bulk transfer that uses device memory. The handle frees this memory when the handle closes.</summary>
    DeviceMemory,

    /// <summary>
    /// The transfer is a bulk transfer that uses device memory. The test immediately disposes the <see cref="UsbBuffer"/> that contains this memory, so only
    /// the transfer keeps the memory allocated.
    /// </summary>
    DisposedDeviceMemory,

    /// <summary>The transfer is an isochronous transfer with several packets, which owns its memory.</summary>
    Isochronous,

    /// <summary>The transfer is a control transfer that owns its memory.</summary>
    Control,
}
