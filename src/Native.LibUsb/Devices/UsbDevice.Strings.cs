using System.Text;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

public sealed unsafe partial class UsbDevice
{
    /// <summary>
    /// Reads one of the device's strings. libusb 1.0.30 reads it from the operating system (<c>libusb_get_device_string</c>), without permission for the
    /// device; with older versions the device is opened for a moment.
    /// </summary>
    /// <param name="which">Which string.</param>
    /// <param name="text">The text, without NULs that pad it at the end; null when there is none.</param>
    /// <returns>
    /// <see cref="UsbError.Success"/>; <see cref="UsbError.NotFound"/> when the device has none; <see cref="UsbError.Access"/> or another error
    /// when it could not be opened or did not answer; <see cref="UsbError.NotSupported"/> when it came as an open file, whose handle
    /// can read it.
    /// </returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such string.</exception>
    /// <exception cref="InvalidOperationException">Called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The device or the context is disposed.</exception>
    public UsbError TryGetString(UsbDeviceString which, out string? text)
    {
        byte index = which switch
        {
            UsbDeviceString.Manufacturer => Descriptor.ManufacturerIndex,
            UsbDeviceString.Product => Descriptor.ProductIndex,
            UsbDeviceString.SerialNumber => Descriptor.SerialNumberIndex,
            _ => throw new ArgumentOutOfRangeException(nameof(which), which, "There is no such string."),
        };
        text = null;
        CallbackScope.ThrowIfInside(Context.NativeHandle, "read a string");
        if (index == 0)
            return UsbError.NotFound;
        if (_isWrapped)
            return UsbError.NotSupported;
        UsbError error;
        if (OptionalExports.IsAvailable(OptionalExports.libusb_get_device_string))
        {
            error = AskOperatingSystem(which, out text);
            if (error != UsbError.NotSupported) // the function is there, and this system has no answer to it
                return error;
        }

        error = TryOpen(out UsbDeviceHandle? handle);
        if (error != UsbError.Success)
            return error;
        using (handle)
            return handle!.TryGetString(index, out text);
    }

    private UsbError AskOperatingSystem(UsbDeviceString which, out string? text)
    {
        text = null;
        using var lease = new HandleLease(_native);
        byte* buffer = stackalloc byte[(int)libusb.LIBUSB_DEVICE_STRING_BYTES_MAX];
        int length = libusb.libusb_get_device_string(
            _native.Pointer, (libusb_device_string_type)which, buffer, (int)libusb.LIBUSB_DEVICE_STRING_BYTES_MAX);
        if (length < 0)
            return (UsbError)length;
        // The length counts the terminating zero, and a device may have padded its text with more of them.
        text = StringDescriptor.WithoutPadding(Encoding.UTF8.GetString(buffer, length));
        return UsbError.Success;
    }
}
