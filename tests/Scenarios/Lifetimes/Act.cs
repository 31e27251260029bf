namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Specifies an act that ends a transfer, or closes or removes an object that the transfer needs.</summary>
public enum Act
{
    /// <summary><see cref="UsbTransfer.Dispose"/>.</summary>
    DisposeTransfer,

    /// <summary><see cref="UsbTransfer.Close"/>.</summary>
    CloseTransfer,

    /// <summary><see cref="UsbTransfer.Doom"/>.</summary>
    DoomTransfer,

    /// <summary><see cref="UsbDeviceHandle.Dispose"/>.</summary>
    DisposeHandle,

    /// <summary><see cref="UsbContext.Dispose"/>.</summary>
    DisposeContext,

    /// <summary>The device is unplugged.</summary>
    Unplug,

    /// <summary><see cref="UsbEventThread.Dispose"/>.</summary>
    StopEventThread,
}
