namespace Native.LibUsb;

/// <summary>Represents the use of a doomed transfer (<see cref="UsbTransfer.Doom"/>): it will not be configured or submitted again.</summary>
public sealed class UsbTransferDoomedException : InvalidOperationException
{
    /// <summary>Makes the exception.</summary>
    public UsbTransferDoomedException()
        : base("The transfer is doomed: it cannot be configured or submitted again.")
    {
    }
}
