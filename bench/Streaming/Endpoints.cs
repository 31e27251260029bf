namespace Native.LibUsb.Bench;

/// <summary>Opens the device of a measurement.</summary>
internal static class Endpoints
{
    /// <summary>The endpoint of the first device that has one of that kind, opened and claimed, in the last alternate setting it is in.</summary>
    public static UsbDeviceHandle Open(UsbContext context, UsbTransferType type, out UsbEndpointDescriptor endpoint)
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
            endpoint = found;
            UsbDeviceHandle handle = device.Open();
            handle.ClaimInterface(number);
            if (alternate != 0)
                handle.ClaimInterface(number).SetAlternateSetting(alternate);
            return handle;
        }

        throw new InvalidOperationException($"There is no {type} endpoint that sends.");
    }
}
