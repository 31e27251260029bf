namespace Native.LibUsb;

/// <summary>A claimed interface: nobody else can use its endpoints until this is disposed. Made by <see cref="UsbDeviceHandle.ClaimInterface"/>.</summary>
public sealed class UsbInterface : IDisposable
{
    private readonly UsbDeviceHandle _handle;
    private bool _released;

    internal UsbInterface(UsbDeviceHandle handle, int interfaceNumber)
    {
        _handle = handle;
        InterfaceNumber = interfaceNumber;
    }

    /// <summary><c>bInterfaceNumber</c>.</summary>
    public int InterfaceNumber { get; }

    /// <summary>Chooses an alternate setting; see <see cref="UsbDeviceHandle.SetAlternateSetting"/>.</summary>
    /// <param name="alternateSetting"><c>bAlternateSetting</c>.</param>
    /// <exception cref="UsbException">libusb refused: <see cref="UsbError.NotFound"/> when there is no such setting.</exception>
    /// <exception cref="ObjectDisposedException">The claim or the handle is disposed.</exception>
    public void SetAlternateSetting(int alternateSetting)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _released), this);
        _handle.SetAlternateSetting(InterfaceNumber, alternateSetting);
    }

    /// <summary>
    /// Releases the interface (<c>libusb_release_interface</c>), once. A device that is gone, or a handle that is closed, has released it
    /// already.
    /// </summary>
    /// <remarks>Cancel the transfers on its endpoints before, and wait for them: on Linux those that this ends are told
    /// <see cref="UsbTransferStatus.NoDevice"/>, although the device is there.</remarks>
    /// <exception cref="InvalidOperationException">Called from a log handler.</exception>
    public void Dispose()
    {
        LogScope.ThrowIfInside();
        if (!Interlocked.Exchange(ref _released, true))
            _handle.ReleaseClaim(InterfaceNumber);
    }
}
