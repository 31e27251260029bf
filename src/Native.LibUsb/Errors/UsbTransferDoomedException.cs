namespace Native.LibUsb;

/// <summary>Represents the error of a program that configures or submits a transfer after <see cref="UsbTransfer.Doom"/>.</summary>
public sealed class UsbTransferDoomedException : InvalidOperationException
{
    /// <summary>Makes the exception.</summary>
    public UsbTransferDoomedException()
        : base("The transfer is doomed: it cannot be configured or submitted again.")
    {
    }
}
