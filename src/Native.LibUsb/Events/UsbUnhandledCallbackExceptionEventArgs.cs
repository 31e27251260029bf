namespace Native.LibUsb;

/// <summary>Represents an exception that left a callback, or a failure on a thread of the library that has no caller to throw it to.</summary>
public sealed class UsbUnhandledCallbackExceptionEventArgs : EventArgs
{
    internal UsbUnhandledCallbackExceptionEventArgs(Exception exception, object? source)
    {
        Exception = exception;
        Source = source;
    }

    /// <summary>Gets what was thrown.</summary>
    public Exception Exception { get; }

    /// <summary>
    /// Gets the object whose callback threw it: a <see cref="UsbTransfer"/> (also when memory of the program's threw as the transfer was freed), a ring (<c>UsbInputRing</c> or <c>UsbOutputRing</c>), the
    /// <see cref="UsbHotplugRegistration"/> of <see cref="UsbContext.RegisterHotplug"/>, or the <see cref="UsbContext"/> for the notifiers of
    /// <see cref="UsbContext.SetPollFdNotifiers"/>. It is the <see cref="UsbEventThread"/> when that thread ended because libusb could not wait for events, and
    /// the <see cref="UsbInterface"/> or <see cref="UsbDeviceHandle"/> that closes when libusb could not wait for its transfers. Null if the library itself
    /// failed while it handled a device that came or went.
    /// </summary>
    public object? Source { get; }
}
