namespace Native.LibUsb.Tests.Interfaces;

/// <summary>Represents a test of a <see cref="TwoSettingsDevice"/>. The device is open, and its interface 0 is claimed.</summary>
public abstract class TwoSettingsTest : BusTest
{
    protected TwoSettingsTest()
    {
        Bus.Attach(Device);
        using UsbDevice found = Context.FindDevice(Device.Description.VendorId, Device.Description.ProductId)!;
        Handle = found.Open();
        Interface = Handle.ClaimInterface(0);
    }

    private protected TwoSettingsDevice Device { get; } = new();

    protected UsbDeviceHandle Handle { get; }

    protected UsbInterface Interface { get; }
}
