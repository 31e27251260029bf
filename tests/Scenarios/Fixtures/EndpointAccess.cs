namespace Native.LibUsb.Tests;

/// <summary>Finds endpoints for tests that are not about claims: the interface is claimed once more, and released with the handle.</summary>
internal static class EndpointAccess
{
    /// <summary>Gets the endpoint in the active setting of whichever interface has it.</summary>
    public static UsbEndpoint At(this UsbDeviceHandle handle, byte address) => handle.InterfaceOf(address).GetEndpoint(address);

    /// <summary>Gets the interface that has an endpoint in one of its settings.</summary>
    public static UsbInterface InterfaceOf(this UsbDeviceHandle handle, byte address) => handle.ClaimInterface(
        handle.Device.GetActiveConfigurationDescriptor().Interfaces.First(one => one.AlternateSettings.Any(setting => setting.Endpoints.Any(endpoint => endpoint.Address == address))).Number);
}
