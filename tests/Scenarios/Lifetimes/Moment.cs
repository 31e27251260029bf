namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Specifies a moment in the lifetime of a transfer.</summary>
public enum Moment
{
    /// <summary>The transfer is configured and was never submitted.</summary>
    Configured,

    /// <summary>The transfer is in flight on the device.</summary>
    Submitted,

    /// <summary>The transfer was cancelled, and the device has returned the URBs of the transfer. The callback of the transfer has not run yet.</summary>
    Cancelling,

    /// <summary>The callback of the transfer runs.</summary>
    InCallback,

    /// <summary>The callback of the transfer has returned.</summary>
    Completed,
}
