namespace Native.LibUsb.Bench;

/// <summary>Opens the device of a measurement.</summary>
internal static class Endpoints
{
    /// <summary>
    /// Opens the first device that has an IN endpoint of the given type, and claims the interface of the endpoint. If several alternate settings contain such
    /// an endpoint, the method selects the last of these settings.
    /// </summary>
    public static UsbDeviceHandle Open(UsbContext context, UsbTransferType type, out UsbEndpoint endpoint)
    {
        foreach (UsbDevice device in context.GetDevices())
        {
            UsbEndpointDescriptor? found = null;
            byte number = 0, alternate = 0;
            foreach (UsbInterfaceSettings @interface in device.GetActiveConfigurationDescriptor().Interfaces)
            {
                foreach (UsbInterfaceDescriptor setting in @interface.AlternateSettings)
                {
                    foreach (UsbEndpointDescriptor candidate in setting.Endpoints)
                    {
                        if (candidate.TransferType != type || candidate.Direction != UsbDirection.In)
                            continue;
                        (number, alternate) = ((byte)@interface.Number, (byte)setting.Number);
                        found = candidate;
                    }
                }
            }

            if (found is null)
                continue;
            UsbDeviceHandle handle = device.Open();
            UsbInterface claimed = handle.ClaimInterface(number);
            if (alternate != 0)
                claimed.SetAlternateSetting(alternate);
            endpoint = claimed.GetEndpoint(found.Address);
            return handle;
        }

        throw new InvalidOperationException($"No device has an IN endpoint of the type {type}.");
    }
}
