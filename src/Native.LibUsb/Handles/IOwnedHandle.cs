namespace Native.LibUsb;

/// <summary>Represents a native handle that a public object owns.</summary>
internal interface IOwnedHandle
{
    /// <summary>Makes the exception for a use after the release. It names the public type.</summary>
    ObjectDisposedException DisposedFailure();
}
