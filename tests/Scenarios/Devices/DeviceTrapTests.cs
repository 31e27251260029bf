using System.Runtime.CompilerServices;
using System.Text;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Devices;

/// <summary>
/// Tests how the library avoids the traps in libusb's handling of devices, descriptors, strings and interface numbers. Some tests open the file of a device
/// themselves, and pass the file to the library.
/// </summary>
public sealed class DeviceTrapTests : BusTest
{
    private static readonly byte[] s_extra = [5, 0x24, 1, 2, 3];

    [PreloadOnly(KernelLimits.Hubs)]
    [BusFact]
    public void Devices_and_parents_outlive_their_list_and_child()
    {
        Bus.Attach(new VirtualHub(), "1-2");
        Bus.Attach(new BulkLoopback(), "1-2.3");
        UsbDevice device;
        using (UsbDeviceList list = Context.GetDevices())
            device = list.Take(list.Single(one => one.ProductId == 0x0011));
        UsbDevice hub = device.GetParent()!;
        device.Dispose();
        Context.GetDevices().Dispose();
        Assert.Equal("1-2", hub.PortPath.ToString());
        Assert.Single(hub.GetActiveConfigurationDescriptor().Interfaces);
        using UsbDevice root = hub.GetParent()!;
        hub.Dispose();
        root.Open().Dispose();

        UsbDevice kept;
        using (UsbDeviceHandle handle = Context.FindDevice(0x1209, 0x0011)!.Open())
            kept = handle.Device.AddReference();
        kept.Open().Dispose();
        kept.Dispose();
        kept.Dispose();
        Assert.Throws<ObjectDisposedException>(kept.AddReference);
        Assert.Throws<ObjectDisposedException>(kept.GetParent);
        Assert.Equal("1-2.3", kept.PortPath.ToString());
    }

    [BusFact]
    public void Descriptors_are_valid_as_long_as_any_part_of_them_is_in_use()
    {
        Bus.Attach(Device());
        using UsbDevice device = Context.FindDevice(0x1209, 0x0001)!;
        for (int round = 0; round < 20; round++)
        {
            ReadOnlySpan<byte> ofConfiguration = OfConfiguration(device);
            ReadOnlySpan<byte> ofSetting = OfSetting(device);
            ReadOnlySpan<byte> ofEndpoint = OfEndpoint(device);
            UsbEndpointDescriptor endpoint = Endpoint(device);
            CollectAndReuse();
            Assert.True(ofConfiguration.SequenceEqual(s_extra));
            Assert.True(ofSetting.SequenceEqual(s_extra));
            Assert.True(ofEndpoint.SequenceEqual(s_extra));
            Assert.Equal(0x85, endpoint.Address);
            Assert.Equal(64, endpoint.RawMaxPacketSize);
        }
    }

    [BusFact]
    public void Capabilities_are_valid_as_long_as_any_part_of_them_is_in_use()
    {
        Bus.Attach(Device());
        using UsbDevice device = Context.FindDevice(0x1209, 0x0001)!;
        using UsbDeviceHandle handle = device.Open();
        for (int round = 0; round < 20; round++)
        {
            ReadOnlySpan<byte> data = Capability(handle).Data;
            UsbDeviceCapability capability = Capability(handle);
            Assert.True(Capability(handle).TryGetPlatform(out Guid platform, out ReadOnlySpan<byte> ofPlatform));
            CollectAndReuse();
            Assert.Equal(1 + 16 + 4, data.Length);
            Assert.True(data[17..].SequenceEqual(new byte[] { 6, 7, 8, 9 }));
            Assert.Equal(UsbCapabilityType.Platform, capability.Type);
            Assert.True(ofPlatform.SequenceEqual(new byte[] { 6, 7, 8, 9 }));
            Assert.NotEqual(Guid.Empty, platform);
        }
    }

    [BusTheory]
    [InlineData(VirtualSpeed.Full, new[] { 256, 512, 1023 })]
    [InlineData(VirtualSpeed.High, new[] { 512, 1024, 2048, 3072 })]
    [InlineData(VirtualSpeed.Super, new[] { 1024, 16_384, 49_152 })]
    public void The_packet_size_is_that_of_the_requested_setting_and_not_of_the_first(VirtualSpeed speed, int[] sizes)
    {
        Bus.Attach(new IsoSource(new IsoSourceOptions { Speed = speed }));
        using UsbDevice device = Context.FindDevice(0x1209, 0x0010)!;
        Assert.Equal(sizes[0], device.GetMaxIsoPacketSize(IsoSource.EndpointAddress)); // libusb returns the size of the first setting with the endpoint
        for (int i = 0; i < sizes.Length; i++)
            Assert.Equal(sizes[i], device.GetMaxAlternatePacketSize(0, i + 1, IsoSource.EndpointAddress));
    }

    // libusb's own function uses the interface number as an index.
    [BusFact]
    public void An_interface_is_found_by_its_number_and_not_by_its_place()
    {
        Bus.Attach(Device());
        using UsbDevice device = Context.FindDevice(0x1209, 0x0001)!;
        Assert.Equal(64, device.GetMaxAlternatePacketSize(7, 0, 0x85));
        Assert.Equal(UsbError.NotFound, Assert.Throws<UsbException>(() => device.GetMaxAlternatePacketSize(0, 0, 0x85)).Error);
        Assert.Equal(UsbError.NotFound, Assert.Throws<UsbException>(() => device.GetMaxAlternatePacketSize(7, 1, 0x85)).Error);
        UsbConfigurationDescriptor configuration = device.GetActiveConfigurationDescriptor();
        Assert.Equal(7, configuration.Interfaces[0].Number);
        Assert.Equal(31, configuration.Interfaces[1].Number);
    }

    [BusFact]
    public void Strings_keep_their_letters_and_their_length()
    {
        string longest = new('語', 126); // the most characters that a descriptor holds
        var strange = new BulkLoopback(new BulkLoopbackOptions { SerialNumber = "Größe ✓ 🙂" });
        var full = new BulkLoopback(new BulkLoopbackOptions { SerialNumber = longest, ProductId = 0x7777 });
        Bus.Attach(strange);
        Bus.Attach(full);
        foreach ((ushort product, string text) in ((ushort, string)[])[(0x0011, "Größe ✓ 🙂"), (0x7777, longest)])
        {
            using UsbDevice device = Context.FindDevice(0x1209, product)!;
            Assert.Equal(UsbError.Success, device.TryGetString(UsbDeviceString.SerialNumber, out string? unopened));
            Assert.Equal(text, unopened);
            using UsbDeviceHandle handle = device.Open();
            Assert.Equal(text, handle.GetString(device.Descriptor.SerialNumberIndex));
        }
    }

    [BusFact]
    public void Numbers_that_libusb_would_truncate_or_shift_are_refused()
    {
        VirtualDevice device = Device();
        Bus.Attach(device);
        using UsbDevice found = Context.FindDevice(0x1209, 0x0001)!;
        using (UsbDeviceHandle handle = found.Open())
        {
            foreach (int number in new[] { -1, 32, 256, int.MinValue, int.MaxValue })
            {
                Assert.Throws<ArgumentOutOfRangeException>(() => handle.ClaimInterface(number));
                Assert.Throws<ArgumentOutOfRangeException>(() => handle.TryClaimInterface(number, out _));
                Assert.Throws<ArgumentOutOfRangeException>(() => handle.ClaimInterface(number).SetAlternateSetting(0));
                Assert.Throws<ArgumentOutOfRangeException>(() => handle.IsKernelDriverActive(number));
                Assert.Throws<ArgumentOutOfRangeException>(() => handle.TryGetKernelDriver(number, out _));
                Assert.Throws<ArgumentOutOfRangeException>(() => handle.DetachKernelDriver(number));
                Assert.Throws<ArgumentOutOfRangeException>(() => handle.AttachKernelDriver(number));
            }

            handle.ClaimInterface(31); // the highest number; the handle releases the interface
            foreach (int setting in new[] { -1, 256, int.MaxValue })
                Assert.Throws<ArgumentOutOfRangeException>(() => handle.ClaimInterface(31).SetAlternateSetting(setting));
            foreach (int value in new[] { -2, 256, int.MinValue, int.MaxValue })
                Assert.Throws<ArgumentOutOfRangeException>(() => handle.SetConfiguration(value));
            foreach (int index in new[] { -1, 256 })
                Assert.Throws<ArgumentOutOfRangeException>(() => found.GetConfigurationDescriptor(index));
            using UsbDeviceHandle second = found.Open();
            Assert.Equal(UsbError.Busy, second.TryClaimInterface(31, out _));
        }

        using UsbDeviceHandle third = found.Open();
        third.ClaimInterface(31).Dispose(); // the first handle released the interface when it closed
    }

    // If a function gets no context and there is no default context, libusb logs a message. libusb logs this message only once in a process.
    [BusFact]
    public void No_function_is_called_without_its_context()
    {
        var suspicious = new List<string>();
        UsbLibrary.SetLogHandler((_, message) =>
        {
            string text = Encoding.UTF8.GetString(message);
            if (text.Contains("misuse", StringComparison.OrdinalIgnoreCase) || text.Contains("default context", StringComparison.OrdinalIgnoreCase))
                suspicious.Add(text);
        });
        try
        {
            using var context = new UsbContext(new UsbContextOptions { LogLevel = UsbLogLevel.Debug });
            Bus.Attach(new BulkLoopback(new BulkLoopbackOptions { Speed = VirtualSpeed.Super, StreamsExponent = 2, SerialNumber = "1" }));
            using UsbHotplugRegistration registration = context.RegisterHotplug(told => told.Device.Dispose());
            using UsbDevice device = context.FindDevice(0x1209, 0x0011)!;
            Assert.Empty(device.GetActiveConfigurationDescriptor().InterfaceAssociations);
            device.GetMaxAlternatePacketSize(0, 0, BulkLoopback.InAddress);
            device.GetMaxIsoPacketSize(BulkLoopback.InAddress);
            device.GetParent()?.Dispose();
            device.TryGetString(UsbDeviceString.SerialNumber, out _);
            context.GetPollFds();
            context.GetNextTimeout();
            context.SetPollFdNotifiers(_ => { }, _ => { });
            using UsbDeviceHandle handle = device.Open();
            handle.GetBosDescriptor();
            using UsbInterface claim = handle.ClaimInterface(0);
            if (handle.AllocateStreams(2, BulkLoopback.InAddress, BulkLoopback.OutAddress) > 0) // the kernel's vhci_hcd has no streams
                handle.FreeStreams(BulkLoopback.InAddress, BulkLoopback.OutAddress);
            handle.AllocateBuffer(4096, preferDeviceMemory: true).Dispose();
            handle.At(BulkLoopback.OutAddress).Write([1], Patience);
            using UsbTransfer transfer = handle.CreateTransfer();
            transfer.SetBulkCopy(BulkLoopback.OutAddress, [1]);
            transfer.Submit();
            while (transfer.IsSubmitted)
                context.HandleEvents(Patience);
        }
        finally
        {
            UsbLibrary.SetLogHandler(null);
        }

        Assert.Empty(suspicious);
    }

    // This program violates the library's rules: it closes the file of a device while a device handle still uses the file. If a transfer is in flight when the
    // file is closed, the transfer never ends. FreshProcessTests therefore tests this case in a separate process.
    [BusFact]
    public void A_file_that_is_closed_under_its_handle_is_an_error_and_no_hang()
    {
        var loopback = new BulkLoopback();
        Bus.Attach(loopback);
        Microsoft.Win32.SafeHandles.SafeFileHandle file = OpenNode(loopback);
        UsbDeviceHandle handle = Context.WrapSystemDevice(file.DangerousGetHandle());
        handle.ClaimInterface(0);
        UsbTransfer transfer = handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.InAddress, 512);
        file.Dispose();
        Assert.NotEqual(UsbError.Success, handle.At(BulkLoopback.OutAddress).TryWrite([1], out _, TimeSpan.FromMilliseconds(100)));
        Assert.NotEqual(UsbError.Success, transfer.TrySubmit());
        Assert.Equal(UsbError.IO, Assert.Throws<UsbException>(() => Context.HandleEvents(TimeSpan.FromSeconds(5))).Error);
        handle.Dispose(); // returns instead of hanging
        Context.HandleEvents(TimeSpan.Zero); // without the file, the context can handle events again
        using UsbDeviceHandle again = Open(loopback);
        Assert.Equal(1, again.At(BulkLoopback.OutAddress).Write([1], Patience));
    }

    [BusFact]
    public void The_device_of_a_file_is_not_opened_again()
    {
        var loopback = new BulkLoopback();
        Bus.Attach(loopback);
        using Microsoft.Win32.SafeHandles.SafeFileHandle file = OpenNode(loopback);
        using UsbDeviceHandle handle = Context.WrapSystemDevice(file);
        Assert.Equal(UsbError.NotSupported, handle.Device.TryOpen(out _));
        using UsbDevice reference = handle.Device.AddReference();
        UsbException refused = Assert.Throws<UsbException>(reference.Open);
        Assert.Equal(UsbError.NotSupported, refused.Error);
        Assert.Contains("use the handle", refused.Hint, StringComparison.Ordinal);
        Assert.Equal(UsbError.NotSupported, handle.Device.TryGetString(UsbDeviceString.Product, out _));
        Assert.Equal(0x0011, handle.Device.ProductId);
        Assert.Equal("Bulk loopback", handle.GetString(handle.Device.Descriptor.ProductIndex));
        Assert.Single(handle.Device.GetActiveConfigurationDescriptor().Interfaces);
    }

    private static Microsoft.Win32.SafeHandles.SafeFileHandle OpenNode(VirtualDevice device) =>
        File.OpenHandle($"/dev/bus/usb/{device.BusNumber:D3}/{device.DeviceNumber:D3}", FileMode.Open, FileAccess.ReadWrite);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ReadOnlySpan<byte> OfConfiguration(UsbDevice device) => device.GetActiveConfigurationDescriptor().Extra;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ReadOnlySpan<byte> OfSetting(UsbDevice device) => device.GetActiveConfigurationDescriptor().Interfaces[0].AlternateSettings[0].Extra;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ReadOnlySpan<byte> OfEndpoint(UsbDevice device) => Endpoint(device).Extra;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static UsbEndpointDescriptor Endpoint(UsbDevice device) => device.GetActiveConfigurationDescriptor().Interfaces[0].AlternateSettings[0].Endpoints[0];

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static UsbDeviceCapability Capability(UsbDeviceHandle handle) => handle.GetBosDescriptor()!.Capabilities[0];

    /// <summary>Collects unreachable objects, and overwrites their native memory.</summary>
    private static unsafe void CollectAndReuse()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var blocks = new List<nint>();
        for (nuint size = 8; size < 256; size += 8)
        {
            byte* block = (byte*)System.Runtime.InteropServices.NativeMemory.Alloc(size);
            new Span<byte>(block, (int)size).Fill(0xee);
            blocks.Add((nint)block);
        }

        blocks.ForEach(block => System.Runtime.InteropServices.NativeMemory.Free((void*)block));
    }

    private static VirtualDevice Device() => new(new DeviceDescription
    {
        UsbVersion = 0x0210,
        Capabilities = [DeviceCapability.Platform(new Guid("3408b638-09a9-47a0-8bfd-a0768815b665"), [6, 7, 8, 9])],
        Configurations =
        [
            new ConfigurationDescription(
                new InterfaceDescription(7, new AlternateSetting(
                    new EndpointDescription(0x85, EndpointKind.Interrupt, 64) { Extra = s_extra }) { Extra = s_extra }),
                new InterfaceDescription(31, new AlternateSetting()))
            { Extra = s_extra },
        ],
    });
}
