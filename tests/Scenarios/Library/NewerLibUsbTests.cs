using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Native.LibUsb.Interop;
using Native.LibUsb.Testing;
using static Native.LibUsb.Interop.libusb;

namespace Native.LibUsb.Tests.Library;

/// <summary>
/// Tests the functions that only newer versions of libusb have. The tests run with every version of libusb. If the loaded libusb has a function, a test calls
/// it. If the loaded libusb does not have the function, a call must throw an exception. Every member of the facade must work in both cases.
/// </summary>
public sealed unsafe class NewerLibUsbTests : BusTest
{
    private static readonly Guid s_webUsb = new("3408b638-09a9-47a0-8bfd-a0768815b665");
    private static int s_lines;

    [BusFact]
    public void The_exception_for_a_missing_function_has_its_name_and_the_required_version()
    {
        foreach (OptionalFunction function in OptionalFunction.All.Where(function => !function.IsThere))
        {
            var missing = Assert.Throws<UsbNotSupportedException>(function.Call);
            Assert.Equal(function.Name, missing.FunctionName);
            Assert.Equal(function.Since, missing.RequiredVersion);
            Assert.Equal(UsbLibrary.Version.ToVersion(), missing.LoadedVersion);
            Assert.Contains($"{function.Name} needs libusb {function.Since}", missing.Message, StringComparison.Ordinal);
            Assert.Contains($"the loaded libusb is {UsbLibrary.Version.ToVersion()}", missing.Message, StringComparison.Ordinal);
        }
    }

    [BusFact]
    public void A_function_is_there_from_its_version_on()
    {
        foreach (OptionalFunction function in OptionalFunction.All)
            Assert.True(function.IsThere == UsbLibrary.Version.ToVersion() >= function.Since, $"{function.Name}, libusb {UsbLibrary.Version.ToVersion()}");
        string line = OptionalFunction.DescribeMissing();
        Assert.StartsWith("not in this libusb: ", line, StringComparison.Ordinal);
        Assert.Equal(UsbLibrary.Version.ToVersion() < new Version(1, 0, 27), line.Contains("libusb_init_context", StringComparison.Ordinal));
        Assert.Equal(UsbLibrary.Version.ToVersion() < new Version(1, 0, 30), line.Contains("libusb_get_device_string", StringComparison.Ordinal));
    }

    [BusFact]
    public void A_context_is_made_with_options()
    {
        libusb_context* context;
        libusb_init_option* options = stackalloc libusb_init_option[3];
        options[0].option = libusb_option.LIBUSB_OPTION_LOG_LEVEL;
        options[0].value.ival = (int)libusb_log_level.LIBUSB_LOG_LEVEL_DEBUG;
        options[1].option = libusb_option.LIBUSB_OPTION_NO_DEVICE_DISCOVERY;
        options[2].option = libusb_option.LIBUSB_OPTION_LOG_CB;
        options[2].value.log_cbval = &CountLine;
        if (!UsbLibrary.HasFunction(nameof(libusb_init_context)))
        {
            Assert.Throws<UsbNotSupportedException>(() => Init(null));
            Assert.Equal((int)libusb_error.LIBUSB_ERROR_INVALID_PARAM, libusb_set_option(Context.DangerousGetContext(), libusb_option.LIBUSB_OPTION_LOG_CB, &CountLine));
            return;
        }

        Bus.Attach(new BulkLoopback());
        Context.FindDevice(0x1209, 0x0011)!.Dispose(); // completes the arrival, because libusb would otherwise report it to the next context too
        s_lines = 0;
        UsbLibrary.SetLogHandler((_, _) => { }); // without this handler, libusb writes to standard error too
        try
        {
            Assert.Equal(0, libusb_init_context(&context, options, 3));
            Assert.True(Volatile.Read(ref s_lines) > 0, "The callback received no line of the initialization.");
            libusb_device** list;
            Assert.Equal(0, libusb_get_device_list(context, &list));
            libusb_free_device_list(list, 1);
            libusb_exit(context);
        }
        finally
        {
            UsbLibrary.SetLogHandler(null);
        }

        // The options apply only to this context.
        using var other = new UsbContext();
        using UsbDevice? device = other.FindDevice(0x1209, 0x0011);
        Assert.NotNull(device);

        static void Init(libusb_context** context) => _ = libusb_init_context(context, null, 0);
    }

    // In older versions of libusb, the option NoDeviceDiscovery applies to the whole process. FreshProcessTests tests the option with these versions in a
    // separate process.
    [BusFact]
    public void A_context_without_discovery_finds_nothing_opens_files_and_does_not_affect_other_contexts()
    {
        if (!UsbLibrary.HasFunction(nameof(libusb_init_context)))
            return;
        var loopback = new BulkLoopback();
        Bus.Attach(loopback);
        Context.FindDevice(0x1209, 0x0011)!.Dispose();
        using var context = new UsbContext(new UsbContextOptions { NoDeviceDiscovery = true });
        NoDiscovery.Check(context, loopback);
        Bus.Attach(new InterruptSource()); // when one context looks for devices, libusb reports the arrival to all contexts
        Context.FindDevice(0x1209, 0x0012)!.Dispose();
        NoDiscovery.Check(context, loopback);
        using var other = new UsbContext();
        Assert.True(other.HasDeviceDiscovery);
        using UsbDevice? device = other.FindDevice(0x1209, 0x0011);
        Assert.NotNull(device);
    }

    [BusTheory]
    [InlineData(VirtualSpeed.Full)]
    [InlineData(VirtualSpeed.High)]
    [InlineData(VirtualSpeed.Super)]
    public void Packet_sizes_are_those_of_libusb(VirtualSpeed speed)
    {
        VirtualDevice[] virtuals =
        [
            new IsoSource(new IsoSourceOptions { Speed = speed }),
            new InterruptSource(new InterruptSourceOptions { Speed = speed, ReportSize = 64 }),
            new BulkLoopback(new BulkLoopbackOptions { Speed = speed }),
            new VirtualDevice(new DeviceDescription
            {
                Speed = speed,
                ProductId = 0x7777,
                Configurations =
                [
                    new ConfigurationDescription(new InterfaceDescription(0, new AlternateSetting(
                        new EndpointDescription(0x81, EndpointKind.Interrupt, 60) { PacketsPerMicroframe = speed == VirtualSpeed.High ? 3 : 1 }))),
                ],
            }),
        ];
        foreach (VirtualDevice one in virtuals)
        {
            Bus.Attach(one);
            using UsbDevice device = Context.FindDevice(one.Description.VendorId, one.Description.ProductId)!;
            foreach (UsbInterfaceDescriptor setting in device.GetActiveConfigurationDescriptor().Interfaces[0].AlternateSettings)
            {
                foreach (UsbEndpointDescriptor endpoint in setting.Endpoints)
                {
                    int ours = device.GetMaxAlternatePacketSize(0, setting.Number, endpoint.Address);
                    Assert.True(ours > 0);
                    Assert.Equal(libusb_get_max_packet_size(device.DangerousGetDevice(), endpoint.Address), device.GetMaxPacketSize(endpoint.Address));
                    Assert.Equal(libusb_get_max_iso_packet_size(device.DangerousGetDevice(), endpoint.Address), device.GetMaxIsoPacketSize(endpoint.Address));
                    if (!UsbLibrary.HasFunction(nameof(libusb_get_max_alt_packet_size)))
                        continue;
                    int libusbs = libusb_get_max_alt_packet_size(device.DangerousGetDevice(), 0, setting.Number, endpoint.Address);
                    // For a bulk endpoint at SuperSpeed, this function of libusb reads a descriptor field that has no meaning for bulk endpoints, and returns
                    // 0.
                    if (endpoint.TransferType == UsbTransferType.Bulk && speed == VirtualSpeed.Super)
                        Assert.Equal((1024, 0), (ours, libusbs));
                    else
                        Assert.Equal(libusbs, ours);
                }
            }
        }
    }

    [BusFact]
    public void Capabilities_are_read_as_libusb_reads_them()
    {
        byte[] superSpeedPlus = new byte[9 + (3 * 4)];
        BinaryPrimitives.WriteUInt32LittleEndian(superSpeedPlus.AsSpan(1), 0x42); // three sublinks, three ids
        BinaryPrimitives.WriteUInt16LittleEndian(superSpeedPlus.AsSpan(5), 0x2105);
        BinaryPrimitives.WriteUInt32LittleEndian(superSpeedPlus.AsSpan(9), 0x000a_4030);
        BinaryPrimitives.WriteUInt32LittleEndian(superSpeedPlus.AsSpan(13), 0x000a_40b1);
        BinaryPrimitives.WriteUInt32LittleEndian(superSpeedPlus.AsSpan(17), 0x01f4_0062); // 500 * 10^6 bits per second, asymmetric, SuperSpeed
        Bus.Attach(new VirtualDevice(new DeviceDescription
        {
            UsbVersion = 0x0320,
            Capabilities = [DeviceCapability.Platform(s_webUsb, [0, 1, 5, 1]), new DeviceCapability(0x0a, superSpeedPlus)],
            Configurations = [new ConfigurationDescription(new InterfaceDescription(0, new AlternateSetting()))],
        }));
        using UsbDevice device = Context.FindDevice(0x1209, 0x0001)!;
        using UsbDeviceHandle handle = device.Open();
        UsbBosDescriptor bos = handle.GetBosDescriptor()!;
        Assert.True(bos.Capabilities[0].TryGetPlatform(out Guid platform, out ReadOnlySpan<byte> data));
        Assert.True(bos.Capabilities[1].TryGetSuperSpeedPlus(out UsbSuperSpeedPlusCapability? plus));

        libusb_bos_descriptor* native;
        Assert.Equal(0, libusb_get_bos_descriptor(handle.DangerousGetHandle(), &native));
        if (UsbLibrary.HasFunction(nameof(libusb_get_platform_descriptor)))
        {
            libusb_platform_descriptor* parsed;
            Assert.Equal(0, libusb_get_platform_descriptor(null, native->dev_capability[0], &parsed));
            Assert.Equal(new Guid(MemoryMarshal.AsBytes(new ReadOnlySpan<libusb_platform_descriptor._PlatformCapabilityUUID_e__FixedBuffer>(ref parsed->PlatformCapabilityUUID))), platform);
            Assert.True(parsed->AsSpan(parsed->bLength - 20).SequenceEqual(data));
            libusb_free_platform_descriptor(parsed);
        }

        if (UsbLibrary.HasFunction(nameof(libusb_get_ssplus_usb_device_capability_descriptor)))
        {
            libusb_ssplus_usb_device_capability_descriptor* parsed;
            Assert.Equal(0, libusb_get_ssplus_usb_device_capability_descriptor(null, native->dev_capability[1], &parsed));
            Assert.Equal(parsed->numSublinkSpeedAttributes, plus.Sublinks.Count);
            Assert.Equal(5, parsed->numSublinkSpeedIDs); // libusb up to 1.0.30 reads bits 4 to 7; the specification puts the number into bits 5 to 8
            Assert.Equal(
                (parsed->ssid, parsed->minRxLaneCount, parsed->minTxLaneCount),
                (plus.FunctionalitySupport & 0xf, (plus.FunctionalitySupport >> 8) & 0xf, plus.FunctionalitySupport >> 12));
            for (int i = 0; i < plus.Sublinks.Count; i++)
            {
                libusb_ssplus_sublink_attribute theirs = parsed->sublinkSpeedAttributes[i];
                UsbSublink ours = plus.Sublinks[i];
                Assert.Equal(theirs.ssid, ours.Id);
                Assert.Equal(theirs.mantissa * Math.Pow(1000, (int)theirs.exponent), ours.BitsPerSecond);
                Assert.Equal(theirs.type == libusb_superspeedplus_sublink_attribute_sublink_type.LIBUSB_SSPLUS_ATTR_TYPE_ASYM, ours.IsAsymmetric);
                Assert.Equal(theirs.direction == libusb_superspeedplus_sublink_attribute_sublink_direction.LIBUSB_SSPLUS_ATTR_DIR_TX, ours.IsTransmit);
                Assert.Equal(theirs.protocol == libusb_superspeedplus_sublink_attribute_link_protocol.LIBUSB_SSPLUS_ATTR_PROT_SSPLUS, ours.IsSuperSpeedPlus);
            }

            libusb_free_ssplus_usb_device_capability_descriptor(parsed);
        }

        libusb_free_bos_descriptor(native);
        Assert.Equal(s_webUsb, platform);
        Assert.Equal((3, 3), (plus.Sublinks.Count, plus.SublinkIdCount));
        Assert.Equal(500_000_000UL, plus.Sublinks[2].BitsPerSecond);
    }

    [BusFact]
    public void Interface_associations_are_those_that_libusb_finds()
    {
        Bus.Attach(new VirtualDevice(new DeviceDescription
        {
            Configurations =
            [
                new ConfigurationDescription(new InterfaceDescription(0, new AlternateSetting())),
                new ConfigurationDescription(
                    new InterfaceDescription(0, new AlternateSetting()),
                    new InterfaceDescription(1, new AlternateSetting(new EndpointDescription(0x81, EndpointKind.Bulk, 512))),
                    new InterfaceDescription(2, new AlternateSetting()),
                    new InterfaceDescription(3, new AlternateSetting()))
                {
                    Value = 2,
                    Associations = [new InterfaceAssociation(0, 2, 0x0e, 3, 1), new InterfaceAssociation(2, 2, 0x01)],
                },
            ],
        }));
        using UsbDevice device = Context.FindDevice(0x1209, 0x0001)!;
        for (byte index = 0; index < 2; index++)
            Check(device.GetConfigurationDescriptor(index).InterfaceAssociations, index);
        Check(device.GetActiveConfigurationDescriptor().InterfaceAssociations, null);
        Assert.Equal(2, device.GetConfigurationDescriptor(1).InterfaceAssociations.Count);

        void Check(IReadOnlyList<UsbInterfaceAssociation> ours, byte? index)
        {
            if (!UsbLibrary.HasFunction(nameof(libusb_get_interface_association_descriptors)))
                return;
            libusb_interface_association_descriptor_array* theirs;
            Assert.Equal(0, index is { } place
                ? libusb_get_interface_association_descriptors(device.DangerousGetDevice(), place, &theirs)
                : libusb_get_active_interface_association_descriptors(device.DangerousGetDevice(), &theirs));
            var found = new List<UsbInterfaceAssociation>();
            for (int i = 0; i < theirs->length; i++)
            {
                libusb_interface_association_descriptor one = theirs->iad[i];
                found.Add(new UsbInterfaceAssociation(
                    one.bFirstInterface, one.bInterfaceCount, one.bFunctionClass, one.bFunctionSubClass, one.bFunctionProtocol, one.iFunction));
            }

            libusb_free_interface_association_descriptors(theirs);
            Assert.Equal(found, ours);
        }
    }

    [PreloadOnly(KernelLimits.Opens)]
    [BusFact]
    public void Strings_are_read_from_the_system_where_libusb_supports_that_and_otherwise_from_the_opened_device()
    {
        bool asks = UsbLibrary.HasFunction(nameof(libusb_get_device_string));
        var loopback = new BulkLoopback(new BulkLoopbackOptions { SerialNumber = "Größe" });
        Bus.Attach(loopback);
        using UsbDevice device = Context.FindDevice(0x1209, 0x0011)!;
        foreach ((UsbDeviceString which, string expected) in ((UsbDeviceString, string)[])
            [(UsbDeviceString.Manufacturer, "Native.LibUsb"), (UsbDeviceString.Product, "Bulk loopback"), (UsbDeviceString.SerialNumber, "Größe")])
        {
            Assert.Equal(UsbError.Success, device.TryGetString(which, out string? text));
            Assert.Equal(expected, text);
        }

        Assert.Equal(asks ? 0 : 3, loopback.Opens);
        loopback.DenyAccess = true;
        Assert.Equal(asks ? UsbError.Success : UsbError.Access, device.TryGetString(UsbDeviceString.SerialNumber, out string? denied));
        Assert.Equal(asks ? "Größe" : null, denied);
        using UsbDevice? bySerial = Context.FindDevice(new UsbDeviceFilter { SerialNumber = "Größe" });
        Assert.Equal(asks, bySerial is not null);
        if (!asks)
            return;

        // The length that libusb returns includes the terminating zero. libusb refuses a buffer of length zero.
        byte* buffer = stackalloc byte[64];
        int length = libusb_get_device_string(device.DangerousGetDevice(), libusb_device_string_type.LIBUSB_DEVICE_STRING_SERIAL_NUMBER, buffer, 64);
        Assert.Equal(Encoding.UTF8.GetByteCount("Größe") + 1, length);
        Assert.Equal(0, buffer[length - 1]);
        Assert.True(libusb_get_device_string(device.DangerousGetDevice(), libusb_device_string_type.LIBUSB_DEVICE_STRING_SERIAL_NUMBER, null, 0) < 0);
    }

    [BusFact]
    public void Session_data_differs_by_device()
    {
        Bus.Attach(new BulkLoopback());
        using UsbDeviceList devices = Context.GetDevices();
        Assert.InRange(devices.Count, 2, int.MaxValue); // the device and its hub
        if (!UsbLibrary.HasFunction(nameof(libusb_get_session_data)))
            return;
        nuint first = libusb_get_session_data(devices[0].DangerousGetDevice()).Value;
        Assert.NotEqual(first, libusb_get_session_data(devices[1].DangerousGetDevice()).Value);
        Assert.Equal(first, libusb_get_session_data(devices[0].DangerousGetDevice()).Value);
        foreach (UsbDevice device in devices) // on Linux, the session data consists of the bus number and the address
            Assert.Equal((nuint)((device.BusNumber << 8) | device.Address), libusb_get_session_data(device.DangerousGetDevice()).Value);
    }

    [BusFact]
    public void Raw_IO_is_not_supported_here()
    {
        if (!UsbLibrary.HasFunction(nameof(libusb_endpoint_supports_raw_io)))
            return;
        using UsbDeviceHandle handle = Open(new BulkLoopback());
        libusb_device_handle* native = handle.DangerousGetHandle();
        const int notSupported = (int)libusb_error.LIBUSB_ERROR_NOT_SUPPORTED;
        Assert.Equal(
            (0, notSupported, notSupported), // the first function returns 0 instead of an error
            (libusb_endpoint_supports_raw_io(native, BulkLoopback.InAddress),
                libusb_endpoint_set_raw_io(native, BulkLoopback.InAddress, 1),
                libusb_get_max_raw_io_transfer_size(native, BulkLoopback.InAddress)));
    }

    [UnmanagedCallersOnly]
    private static void CountLine(libusb_context* context, libusb_log_level level, byte* line) => Interlocked.Increment(ref s_lines);
}
