using BenchmarkDotNet.Attributes;
using Native.LibUsb.Benchmarks.Running;
using Native.LibUsb.Interop;

namespace Native.LibUsb.Benchmarks.Subjects;

/// <summary>Measures a walk over all configurations of a device, with their interfaces, alternate settings, endpoints and class-specific descriptors.</summary>
[BenchmarkCategory(Categories.Short)]
public unsafe class DescriptorWalk
{
    private UsbContext _context = null!;
    private UsbDevice _device = null!;

    [GlobalSetup]
    public void SetUp()
    {
        _context = new UsbContext();
        _device = _context.FindDevice(BenchmarkDevices.Vendor, BenchmarkDevices.ManyDescriptors)!;
        ulong expected = C();
        if (expected == 0 || Raw() != expected || Facade() != expected)
            throw new InvalidOperationException("The walks do not see the same descriptors.");
    }

    [GlobalCleanup]
    public void CleanUp()
    {
        _device.Dispose();
        _context.Dispose();
    }

    [Benchmark(Baseline = true, Description = "C")]
    public ulong C() => CCode.WalkDescriptors(_device.DangerousGetDevice());

    [Benchmark(Description = "raw layer")]
    public ulong Raw()
    {
        libusb_device* device = _device.DangerousGetDevice();
        libusb_device_descriptor descriptor;
        UsbException.ThrowIfError(libusb.libusb_get_device_descriptor(device, &descriptor), "read the device descriptor");
        ulong sum = 0;
        for (byte c = 0; c < descriptor.bNumConfigurations; c++)
        {
            libusb_config_descriptor* configuration;
            UsbException.ThrowIfError(libusb.libusb_get_config_descriptor(device, c, &configuration), "read the configuration");
            sum += configuration->bConfigurationValue + Extra(configuration->extra, configuration->extra_length);
            for (int i = 0; i < configuration->bNumInterfaces; i++)
            {
                libusb_interface* @interface = &configuration->@interface[i];
                for (int a = 0; a < @interface->num_altsetting; a++)
                {
                    libusb_interface_descriptor* setting = &@interface->altsetting[a];
                    sum += setting->bInterfaceClass + Extra(setting->extra, setting->extra_length);
                    for (int e = 0; e < setting->bNumEndpoints; e++)
                    {
                        libusb_endpoint_descriptor* endpoint = &setting->endpoint[e];
                        sum += endpoint->bEndpointAddress + Extra(endpoint->extra, endpoint->extra_length);
                    }
                }
            }

            libusb.libusb_free_config_descriptor(configuration);
        }

        return sum;
    }

    [Benchmark(Description = "facade")]
    public ulong Facade()
    {
        ulong sum = 0;
        for (int c = 0; c < _device.Descriptor.ConfigurationCount; c++)
        {
            UsbConfigurationDescriptor configuration = _device.GetConfigurationDescriptor(c);
            sum += configuration.Value + Extra(configuration.Extra);
            foreach (UsbInterfaceSettings @interface in configuration.Interfaces)
            {
                foreach (UsbInterfaceDescriptor setting in @interface.AlternateSettings)
                {
                    sum += setting.Class + Extra(setting.Extra);
                    foreach (UsbEndpointDescriptor endpoint in setting.Endpoints)
                        sum += endpoint.Address + Extra(endpoint.Extra);
                }
            }
        }

        return sum;
    }

    private static ulong Extra(byte* bytes, int length)
    {
        ulong sum = 0;
        while (length >= 2 && bytes[0] >= 2 && bytes[0] <= length)
        {
            sum += bytes[1];
            length -= bytes[0];
            bytes += bytes[0];
        }

        return sum;
    }

    private static ulong Extra(ReadOnlySpan<byte> bytes)
    {
        ulong sum = 0;
        foreach (ReadOnlySpan<byte> descriptor in new UsbExtraDescriptors(bytes))
            sum += descriptor[1];
        return sum;
    }
}
