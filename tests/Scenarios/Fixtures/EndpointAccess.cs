namespace Native.LibUsb.Tests;

/// <summary>Finds endpoints for tests that do not test claims: each call claims the interface once more, and the handle releases it.</summary>
internal static class EndpointAccess
{
    /// <summary>Gets the endpoint of the active setting of the interface that has the address.</summary>
    public static UsbEndpoint At(this UsbDeviceHandle handle, byte address) => handle.InterfaceOf(address).GetEndpoint(address);

    /// <summary>Gets the interface that has an endpoint in one of its settings.</summary>
    public static UsbInterface InterfaceOf(this UsbDeviceHandle handle, byte address) => handle.ClaimInterface(
        handle.Device.GetActiveConfigurationDescriptor().Interfaces.First(one => one.AlternateSettings.Any(setting => setting.Endpoints.Any(endpoint => endpoint.Address == address))).Number);
}
