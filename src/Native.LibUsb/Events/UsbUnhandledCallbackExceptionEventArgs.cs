namespace Native.LibUsb;

/// <summary>Provides an exception that a callback did not catch, or an exception that the library itself reports instead of throwing it.</summary>
public sealed class UsbUnhandledCallbackExceptionEventArgs : EventArgs
{
    internal UsbUnhandledCallbackExceptionEventArgs(Exception exception, object? source)
    {
        Exception = exception;
        Source = source;
    }

    /// <summary>Gets the exception.</summary>
    public Exception Exception { get; }

    /// <summary>
    /// Gets the object that the exception concerns. The value is null if the library itself failed while it handled the arrival or departure of a device.
    /// </summary>
    /// <remarks>
    /// The object is one of the following:
    /// <list type="bullet">
    /// <item>the <see cref="UsbTransfer"/> whose callback threw the exception;</item>
    /// <item>the <see cref="UsbTransfer"/> that uses memory of the program, if the release of that memory threw the exception;</item>
    /// <item>the ring (<c>UsbInputRing</c> or <c>UsbOutputRing</c>) whose callback threw the exception;</item>
    /// <item>the <see cref="UsbHotplugRegistration"/> of <see cref="UsbContext.RegisterHotplug"/> whose callback threw the exception;</item>
    /// <item>the <see cref="UsbContext"/>, if a notifier of <see cref="UsbContext.SetPollFdNotifiers"/> threw the exception;</item>
    /// <item>the <see cref="UsbEventThread"/> that ended because libusb could not wait for events;</item>
    /// <item>the <see cref="UsbInterface"/> or <see cref="UsbDeviceHandle"/> that is closing, if libusb could not wait for this object's transfers.</item>
    /// </list>
    /// </remarks>
    public object? Source { get; }
}
