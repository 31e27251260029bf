using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

// Devices that come as an open file of the operating system's.
public sealed unsafe partial class UsbContext
{
    /// <summary>
    /// Makes a device handle of an open device node (<c>libusb_wrap_sys_device</c>), as Android's permission dialogue gives one. Nothing is sent to
    /// the device. Its <see cref="UsbDeviceHandle.Device"/> is in no device list, and cannot be opened a second time.
    /// </summary>
    /// <param name="fileDescriptor">
    /// The node, open for reading and writing. It stays the caller's, who closes it after the handle is disposed. Closed before, the next call
    /// that handles events fails with <see cref="UsbError.IO"/>, and transfers in flight never end; the overload that takes a
    /// <see cref="SafeHandle"/> cannot come to that.
    /// </param>
    /// <returns>The handle.</returns>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.IO"/>: that is no device node. <see cref="UsbError.NotSupported"/>: on other systems than Linux and Android.
    /// </exception>
    /// <exception cref="InvalidOperationException">Called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The context is disposed.</exception>
    public UsbDeviceHandle WrapSystemDevice(nint fileDescriptor) => Wrap(fileDescriptor, null);

    /// <summary>Opens a device as <see cref="WrapSystemDevice(nint)"/>, and keeps the file open as long as the handle is.</summary>
    /// <param name="file">The node, open for reading and writing. The caller may dispose it at any time; it is closed after the handle.</param>
    /// <returns>The handle.</returns>
    /// <exception cref="UsbException"><see cref="UsbError.IO"/>: that is no device node. <see cref="UsbError.NotSupported"/>: on other systems.</exception>
    /// <exception cref="InvalidOperationException">Called from a callback of this context.</exception>
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
            opened.KeepOpen(file); // before any thread can close it
        var handle = new UsbDeviceHandle(this, opened, isWrapped: true);
        RunDeferred();
        return handle;
    }
}
