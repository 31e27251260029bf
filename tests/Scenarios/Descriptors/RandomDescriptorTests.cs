using System.Globalization;
using CsCheck;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Facade;

/// <summary>
/// Tests a program that reads random descriptors. The library must throw only documented exceptions, and the values of the descriptors must be consistent.
/// </summary>
public sealed class RandomDescriptorTests : BusTest
{
    private readonly int _devices = Rounds.Of(500);
    private int _configurations, _endpoints, _failures, _capabilities, _refused;

    [PreloadOnly(KernelLimits.Descriptors)]
    [BusFact]
    public void No_descriptor_causes_an_exception_that_is_not_documented()
    {
        // The test uses one thread, because the devices share the bus. If the test fails, CsCheck reports the simplest device with which the test fails, and
        // the seed that generates this device.
        RandomDescriptors.Device.Sample(Attach, iter: _devices, threads: 1, print: RandomDescriptors.Describe);

        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{_configurations} configurations with {_endpoints} endpoints and {_capabilities} capabilities, {_failures} refused, {_refused} devices unlisted"));
        if (_devices < 200)
            return; // a small number of devices may lack some kinds

        Assert.True(_configurations > _devices / 4);
        Assert.True(_endpoints > _devices / 4);
        Assert.True(_capabilities > _devices / 4);
        Assert.True(_failures > _devices / 50);
        Assert.True(_refused < _devices / 10);
    }

    private void Attach(DeviceDescription description)
    {
        var device = new VirtualDevice(description);
        Bus.Attach(device);
        try
        {
            Read(device);
        }
        finally
        {
            Bus.Detach(device);
        }
    }

    private void Read(VirtualDevice attached)
    {
        using UsbDeviceList devices = Context.GetDevices();
        if (devices.FirstOrDefault(one => one.Address == attached.DeviceNumber && one.BusNumber == attached.BusNumber) is not { } device)
        {
            _refused++; // libusb does not list the device
            return;
        }

        UsbConfigurationDescriptor? active = Try(device.GetActiveConfigurationDescriptor);
        UsbConfigurationDescriptor? first = Try(() => device.GetConfigurationDescriptor(0));
        Assert.Equal(active is null, first is null);
        if (active is null)
            _failures++;
        else
            Look(active);
        for (int address = 0; address < 32; address++)
            LookAtPacketSizes(device, active, (byte)((address & 15) | ((address & 16) << 3)));

        using UsbDeviceHandle handle = device.Open();
        if (Try(handle.GetBosDescriptor) is { } bos)
            Look(bos);
    }

    private void Look(UsbConfigurationDescriptor configuration)
    {
        _configurations++;
        Walk(configuration.Extra);
        Assert.True(configuration.TotalLength >= 9);
        Assert.True(configuration.MaxPowerMilliamps >= 0);
        Assert.All(configuration.InterfaceAssociations, association => Assert.NotNull(association.ToString()));
        foreach (UsbInterfaceSettings one in configuration.Interfaces)
        {
            Assert.Equal(one.Number, one.AlternateSettings[0].InterfaceNumber);
            foreach (UsbInterfaceDescriptor setting in one.AlternateSettings)
            {
                Assert.True(configuration.TryFindSetting(setting.InterfaceNumber, setting.Number, out _));
                Walk(setting.Extra);
                foreach (UsbEndpointDescriptor endpoint in setting.Endpoints)
                {
                    _endpoints++;
                    Assert.True(setting.TryFindEndpoint(endpoint.Address, out _));
                    Walk(endpoint.Extra);
                    Assert.InRange(endpoint.MaxPacketSize, 0, 2047);
                    Assert.InRange(endpoint.PacketsPerMicroframe, 1, 4);
                    Assert.InRange(endpoint.BytesPerInterval, 0, ushort.MaxValue);
                    Assert.InRange(endpoint.ServiceInterval, TimeSpan.Zero, TimeSpan.FromMilliseconds(32_768));
                    Assert.InRange((int)endpoint.TransferType, 0, 3);
                    endpoint.TryGetCompanion(out _);
                }
            }
        }
    }

    private static void LookAtPacketSizes(UsbDevice device, UsbConfigurationDescriptor? active, byte address)
    {
        UsbEndpointDescriptor? expected = active?.Interfaces
            .SelectMany(one => one.AlternateSettings)
            .SelectMany(setting => setting.Endpoints)
            .FirstOrDefault(endpoint => endpoint.Address == address);
        int size = TryValue(() => device.GetMaxPacketSize(address));
        int isoSize = TryValue(() => device.GetMaxIsoPacketSize(address));
        Assert.Equal(expected?.RawMaxPacketSize ?? -1, size);
        Assert.Equal(expected is null, isoSize == -1);
        if (active is null)
            return;
        foreach (UsbInterfaceDescriptor setting in active.Interfaces.SelectMany(one => one.AlternateSettings))
        {
            active.TryFindSetting(setting.InterfaceNumber, setting.Number, out UsbInterfaceDescriptor? first);
            first!.TryFindEndpoint(address, out UsbEndpointDescriptor? found);
            Assert.Equal(found?.BytesPerInterval ?? -1, TryValue(() => device.GetMaxAlternatePacketSize(setting.InterfaceNumber, setting.Number, address)));
        }
    }

    private void Look(UsbBosDescriptor bos)
    {
        Assert.True(bos.TotalLength >= 5);
        foreach (UsbDeviceCapability capability in bos.Capabilities)
        {
            _capabilities++;
            Assert.True(bos.TryFind(capability.Type, out _));
            Assert.InRange(capability.Data.Length, 0, 252);
            capability.TryGetUsb20Extension(out _);
            capability.TryGetSuperSpeed(out _);
            capability.TryGetContainerId(out _);
            capability.TryGetPlatform(out _, out _);
            if (capability.TryGetSuperSpeedPlus(out UsbSuperSpeedPlusCapability? plus))
                Assert.InRange(plus.Sublinks.Count, 1, 32);
        }
    }

    private static void Walk(ReadOnlySpan<byte> extra)
    {
        foreach (ReadOnlySpan<byte> descriptor in new UsbExtraDescriptors(extra))
            Assert.Equal(descriptor.Length, descriptor[0]);
    }

    /// <summary>Returns the result of a call; null if the call throws the exception that is documented for malformed descriptors.</summary>
    private static T? Try<T>(Func<T?> read)
        where T : class
    {
        try
        {
            return read();
        }
        catch (UsbException e) when (e.Error == UsbError.IO)
        {
            return null;
        }
    }

    private static int TryValue(Func<int> read)
    {
        try
        {
            return read();
        }
        catch (UsbException e) when (e.Error is UsbError.NotFound or UsbError.IO)
        {
            return -1;
        }
    }
}
