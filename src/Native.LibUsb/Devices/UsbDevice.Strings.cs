using System.Text;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

public sealed unsafe partial class UsbDevice
{
    /// <summary>
    /// Reads one of the device's strings. If libusb 1.0.30 or newer can get the string from the operating system (<c>libusb_get_device_string</c>), the program
    /// needs no permission for the device. Otherwise, this method opens the device, reads the string and closes the device.
    /// </summary>
    /// <param name="which">The string to read.</param>
    /// <param name="text">The text, without the NULs that pad its end; null if the device has no such string or an error occurs.</param>
    /// <returns>
    /// <see cref="UsbError.Success"/>, or the error. <see cref="UsbError.NotFound"/>: the device has no such string. <see cref="UsbError.NotSupported"/>: the
    /// program passed the device as an open file. To read the strings of such a device, use its handle (<see cref="UsbDeviceHandle.GetString"/>).
    /// <see cref="UsbError.Access"/> and other errors: the device could not be opened, or did not answer.
    /// </returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="which"/> is not a value of <see cref="UsbDeviceString"/>.</exception>
    /// <exception cref="InvalidOperationException">The method is called from a callback of this context.</exception>
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
            if (error != UsbError.NotSupported) // libusb has the function, but does not support it on this system
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
        // The length includes the terminating zero. Before the terminating zero, there may be more zeros, because some devices pad their texts with zeros.
        text = StringDescriptor.WithoutPadding(Encoding.UTF8.GetString(buffer, length));
        return UsbError.Success;
    }
}
