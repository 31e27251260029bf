using System.Globalization;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

// The methods for alternate settings, which the interface objects call.
public sealed unsafe partial class UsbDeviceHandle
{
    private const byte GetInterfaceRequest = 0x0a;

    /// <summary>Activates an alternate setting. The caller holds the lock of the claims and has claimed the interface.</summary>
    internal UsbError TrySetAlternateSetting(int interfaceNumber, int alternateSetting)
    {
        using HandleLease lease = Lease();
        if (!OpeningDescriptor.HasSettingDefect)
            return (UsbError)libusb.libusb_set_interface_alt_setting(_native.Pointer, interfaceNumber, alternateSetting);

        // This version of libusb has a defect in libusb_set_interface_alt_setting: if the device was unplugged, the function damages the mutex of libusb's
        // handle. A check before the call does not help, because the device can be unplugged right after the check. The library therefore sends the request
        // itself, through the device's file.
        if (_native.Descriptor is { } descriptor && UsbfsRequests.IsAvailable)
            return UsbfsRequests.SetInterface(descriptor, interfaceNumber, alternateSetting);

        // Here, the library does not have the device's file. Either the system is not Linux, or the program has replaced the library's notifier through the raw
        // layer, so that libusb did not report the file. If the libusb function reports that the device is missing, the mutex of libusb's handle may be
        // damaged, and closing the handle could abort the process. In that case, the library leaves the handle open, and leaks the handle's memory and file.
        if (_native.IsLeftOpen)
            return UsbError.NoDevice;
        var error = (UsbError)libusb.libusb_set_interface_alt_setting(_native.Pointer, interfaceNumber, alternateSetting);
        if (error == UsbError.NoDevice)
            _native.LeaveOpen();
        return error;
    }

    /// <summary>
    /// Reads the number of the active alternate setting. On Linux, the method reads the number from sysfs. On other systems, it requests the number from the
    /// device. The result is 0 if the number cannot be read.
    /// </summary>
    internal int ReadAlternateSetting(int interfaceNumber)
    {
        if (OperatingSystem.IsLinux())
            return SettingInSysfs(interfaceNumber);
        if (CallbackScope.IsInside(Context.NativeHandle))
            return 0;
        Span<byte> answer = stackalloc byte[1];
        var setup = new UsbControlSetup(UsbDirection.In, UsbRequestKind.Standard, UsbRecipient.Interface, GetInterfaceRequest, 0, (ushort)interfaceNumber);
        return TryControlRead(setup, answer, out int received, s_descriptorTimeout) == UsbError.Success && received == 1 ? answer[0] : 0;
    }

    private int SettingInSysfs(int interfaceNumber)
    {
        try
        {
            string text = File.ReadAllText(string.Create(CultureInfo.InvariantCulture,
                $"/sys/bus/usb/devices/{Device.PortPath}:{Device.GetActiveConfigurationDescriptor().Value}.{interfaceNumber}/bAlternateSetting"));
            return int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out int setting) ? setting : 0;
        }
        catch (Exception e) when (e is UsbException or IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }
}
