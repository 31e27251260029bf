using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

// This part makes handles for devices that the operating system provides as an open file.
public sealed unsafe partial class UsbContext
{
    /// <summary>
    /// Makes a device handle from an open device node (<c>libusb_wrap_sys_device</c>), such as the one that Android provides after its permission dialogue. The
    /// method sends nothing to the device. The handle's <see cref="UsbDeviceHandle.Device"/> does not appear in device lists, and cannot be opened a second
    /// time.
    /// </summary>
    /// <param name="fileDescriptor">
    /// The node, open for reading and writing. The caller owns the descriptor and must close it after the handle is disposed. If the caller closes the
    /// descriptor earlier, the next call that handles events fails with <see cref="UsbError.IO"/>, and transfers in flight never complete. The overload that
    /// takes a <see cref="SafeHandle"/> prevents this error.
    /// </param>
    /// <returns>The handle.</returns>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.IO"/>: the descriptor does not belong to a device node. <see cref="UsbError.NotSupported"/>: the system is neither Linux nor
    /// Android.
    /// </exception>
    /// <exception cref="InvalidOperationException">The method was called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The context is disposed.</exception>
    public UsbDeviceHandle WrapSystemDevice(nint fileDescriptor) => Wrap(fileDescriptor, null);

    /// <summary>Makes a device handle as <see cref="WrapSystemDevice(nint)"/> does, and keeps the file open until the handle is closed.</summary>
    /// <param name="file">
    /// The node, open for reading and writing. The caller may dispose this object at any time, because the file stays open until the handle is closed.
    /// </param>
    /// <returns>The handle.</returns>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.IO"/>: the file is not a device node. <see cref="UsbError.NotSupported"/>: the system is neither Linux nor Android.
    /// </exception>
    /// <exception cref="InvalidOperationException">The method was called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The context or the file is disposed.</exception>
    public UsbDeviceHandle WrapSystemDevice(SafeHandle file)
    {
        ArgumentNullException.ThrowIfNull(file);
        bool added = false;
        file.DangerousAddRef(ref added);
        try
        {
            return Wrap(file.DangerousGetHandle(), file);
        }
        finally
        {
            file.DangerousRelease();
        }
    }

    private UsbDeviceHandle Wrap(nint fileDescriptor, SafeHandle? file)
    {
        CallbackScope.ThrowIfInside(_native, "open a device");
        using var lease = new HandleLease(_native);
        var opened = new OpenHandle(_native);
        libusb_device_handle* native;
        int result = libusb.libusb_wrap_sys_device(_native.Pointer, fileDescriptor, &native);
        if (result != 0)
        {
            opened.Abandon();
            UsbException.Throw((UsbError)result, $"use file descriptor {fileDescriptor} as a device");
        }

        opened.Own(native);
        if (file is not null)
            opened.KeepOpen(file); // before another thread can close the handle
        var handle = new UsbDeviceHandle(this, opened, isWrapped: true);
        RunDeferred();
        return handle;
    }
}
