namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Specifies an action that ends a transfer, or that closes or removes an object that the transfer needs.</summary>
public enum Act
{
    /// <summary>The test calls <see cref="UsbTransfer.Dispose"/>.</summary>
    DisposeTransfer,

    /// <summary>The test calls <see cref="UsbTransfer.Close"/>.</summary>
    CloseTransfer,

    /// <summary>The test calls <see cref="UsbTransfer.Doom"/>.</summary>
    DoomTransfer,

    /// <summary>The test calls <see cref="UsbDeviceHandle.Dispose"/>.</summary>
    DisposeHandle,

    /// <summary>The test calls <see cref="UsbContext.Dispose"/>.</summary>
    DisposeContext,

    /// <summary>The test unplugs the device.</summary>
    Unplug,

    /// <summary>The test calls <see cref="UsbEventThread.Dispose"/>.</summary>
    StopEventThread,
}
