namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Specifies a point in the life of a transfer.</summary>
public enum Moment
{
    /// <summary>It has all it needs and was never submitted.</summary>
    Configured,

    /// <summary>libusb and the device have it.</summary>
    Submitted,

    /// <summary>It was cancelled, the device has given it back, and its callback has not run.</summary>
    Cancelling,

    /// <summary>Its callback runs.</summary>
    InCallback,

    /// <summary>Its callback has returned.</summary>
    Completed,
}
