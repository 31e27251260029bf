namespace Native.LibUsb;

/// <summary>Represents a native handle that a public object owns.</summary>
internal interface IOwnedHandle
{
    /// <summary>Creates the exception for a use after the release. The exception names the public type.</summary>
    ObjectDisposedException DisposedFailure();
}
