using System.Globalization;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

// The methods for alternate settings, which the interface objects call.
public sealed unsafe partial class UsbDeviceHandle
{
    private const byte GetInterfaceRequest = 0x0a;

    /// <summary>Activates an alternate setting. The caller holds the lock of the claims, and the interface is claimed.</summary>
    internal UsbError TrySetAlternateSetting(int interfaceNumber, int alternateSetting)
    {
        using HandleLease lease = Lease();
        if (!OpeningDescriptor.HasSettingDefect)
            return (UsbError)libusb.libusb_set_interface_alt_setting(_native.Pointer, interfaceNumber, alternateSetting);

        // With this defect, libusb's function must not be called for an unplugged device. The device can be unplugged after any check, so the library sends
        // the request through the device's file.
        if (_native.Descriptor is { } descriptor && UsbfsRequests.IsAvailable)
            return UsbfsRequests.SetInterface(descriptor, interfaceNumber, alternateSetting);

        // There is no file (macOS), or the program has replaced libusb's notifiers through the raw layer. If the defect may have occurred, closing the handle
        // would abort the process. The handle then stays open, which leaks its memory and its file.
        if (_native.IsLeftOpen)
            return UsbError.NoDevice;
        var error = (UsbError)libusb.libusb_set_interface_alt_setting(_native.Pointer, interfaceNumber, alternateSetting);
        if (error == UsbError.NoDevice)
            _native.LeaveOpen();
        return error;
    }

    /// <summary>Reads the number of the active alternate setting, from the system on Linux and from the device elsewhere; 0 if it cannot be read.</summary>
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
