namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Specifies what ends a transfer, or what it needs.</summary>
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

    /// <summary>The device's plug is pulled.</summary>
    Unplug,

    /// <summary><see cref="UsbEventThread.Dispose"/>.</summary>
    StopEventThread,
}
