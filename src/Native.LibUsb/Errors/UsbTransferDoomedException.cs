namespace Native.LibUsb;

/// <summary>Represents an attempt to configure or submit a transfer after <see cref="UsbTransfer.Doom"/>.</summary>
public sealed class UsbTransferDoomedException : InvalidOperationException
{
    /// <summary>Initializes the exception.</summary>
    public UsbTransferDoomedException()
        : base("The transfer is doomed: it cannot be configured or submitted again.")
    {
    }
}
