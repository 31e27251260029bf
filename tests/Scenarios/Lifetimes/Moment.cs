namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Specifies a point in the life of a transfer.</summary>
public enum Moment
{
    /// <summary>The transfer is configured and was never submitted.</summary>
    Configured,

    /// <summary>The transfer is in flight on the device.</summary>
    Submitted,

    /// <summary>The transfer was cancelled, the device has returned its URBs, and its callback has not run.</summary>
    Cancelling,

    /// <summary>The callback of the transfer runs.</summary>
    InCallback,

    /// <summary>The callback of the transfer has returned.</summary>
    Completed,
}
