namespace Native.LibUsb.Tests.Kernel;

/// <summary>Watches for one device. A test can wait until libusb reports that the device has arrived, and later that the device has left.</summary>
public sealed class DeviceWatch : IDisposable
{
    private readonly UsbHotplugRegistration _registration;
    private readonly Predicate<UsbDevice> _isTheOne;
    private readonly ManualResetEventSlim _arrived = new();
    private readonly ManualResetEventSlim _left = new();
    private UsbDevice? _device;

    /// <summary>Starts to watch for the device. Call this constructor before the device is plugged in. The context must have an event thread.</summary>
    public DeviceWatch(UsbContext context, Predicate<UsbDevice> isTheOne)
    {
        _isTheOne = isTheOne;
        _registration = context.RegisterHotplug(Tell, enumerate: false);
    }

    /// <summary>Waits until libusb has reported the device and until the kernel has configured it. libusb reports the device first.</summary>
    /// <returns>The device, which <see cref="Dispose"/> disposes.</returns>
    public UsbDevice WaitForArrival()
    {
        Assert.True(_arrived.Wait(Machine.Patience), "The device did not arrive.");
        Machine.WaitUntil(() => Sysfs.IsConfigured(_device!), $"{_device} is configured");
        return _device!;
    }

    public void WaitForDeparture() => Assert.True(_left.Wait(Machine.Patience), $"The device {_device} did not disappear.");

    public void Dispose()
    {
        _registration.Dispose();
        _device?.Dispose();
    }

    private void Tell(UsbHotplugNotification told)
    {
        if (told.Event == UsbHotplugEvents.Arrived && _device is null && _isTheOne(told.Device))
        {
            _device = told.Device;
            _arrived.Set();
            return;
        }

        if (told.Event == UsbHotplugEvents.Left && told.Device.Equals(_device))
            _left.Set();
        told.Device.Dispose();
    }
}
