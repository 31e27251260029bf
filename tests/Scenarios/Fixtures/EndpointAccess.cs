namespace Native.LibUsb.Tests;

/// <summary>
/// Claims interfaces and finds endpoints for tests that do not examine claims. Each call claims the interface again. When the handle closes, it releases all
/// claims.
/// </summary>
internal static class EndpointAccess
{
    /// <summary>Gets the endpoint with this address. The endpoint must belong to the active setting of its interface.</summary>
    public static UsbEndpoint At(this UsbDeviceHandle handle, byte address) => handle.InterfaceOf(address).GetEndpoint(address);

    /// <summary>Gets the interface that has an endpoint with this address in one of its settings.</summary>
    public static UsbInterface InterfaceOf(this UsbDeviceHandle handle, byte address) => handle.ClaimInterface(
        handle.Device.GetActiveConfigurationDescriptor().Interfaces.First(one => one.AlternateSettings.Any(setting => setting.Endpoints.Any(endpoint => endpoint.Address == address))).Number);
}
