using System.Buffers.Binary;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Descriptors;

/// <summary>Tests device capabilities, interface associations, and descriptors of unknown types.</summary>
public sealed class CapabilityTests : BusTest
{
    private static readonly Guid s_container = new("01234567-89ab-cdef-0123-456789abcdef");
    private static readonly Guid s_webUsb = new("3408b638-09a9-47a0-8bfd-a0768815b665");

    [BusFact]
    public void Every_kind_of_capability_is_read()
    {
        byte[] superSpeedPlus = new byte[9 + 8];
        BinaryPrimitives.WriteUInt32LittleEndian(superSpeedPlus.AsSpan(1), 0x21); // two sublinks, two ids
        BinaryPrimitives.WriteUInt16LittleEndian(superSpeedPlus.AsSpan(5), 0x1100);
        BinaryPrimitives.WriteUInt32LittleEndian(superSpeedPlus.AsSpan(9), 0x000a_4030); // 10 Gbit/s, symmetric, receive, SuperSpeedPlus
        BinaryPrimitives.WriteUInt32LittleEndian(superSpeedPlus.AsSpan(13), 0x000a_40b1);
        using UsbDeviceHandle handle = OpenWith(
            DeviceCapability.Usb20Extension(2),
            DeviceCapability.SuperSpeed(2, 0x0e, 1, 10, 2047),
            DeviceCapability.ContainerId(s_container),
            DeviceCapability.Platform(s_webUsb, [0, 1, 5, 1]),
            new DeviceCapability(0x0a, superSpeedPlus),
            new DeviceCapability(0x7f, new byte[] { 9, 8, 7 }));
        UsbBosDescriptor bos = handle.GetBosDescriptor()!;
        Assert.Equal(6, bos.Capabilities.Count);
        Assert.Equal(5 + 7 + 10 + 20 + 24 + 20 + 6, bos.TotalLength);

        Assert.True(bos.Capabilities[0].TryGetUsb20Extension(out Usb20Extension extension));
        Assert.True(extension.SupportsLinkPowerManagement);
        Assert.False(bos.Capabilities[0].TryGetSuperSpeed(out _));

        Assert.True(bos.TryFind(UsbCapabilityType.SuperSpeed, out UsbDeviceCapability? found));
        Assert.True(found.TryGetSuperSpeed(out UsbSuperSpeedCapability superSpeed));
        Assert.Equal(new UsbSuperSpeedCapability(2, 0x0e, 1, 10, 2047), superSpeed);
        Assert.True(superSpeed.SupportsLatencyToleranceMessages);

        Assert.True(bos.Capabilities[2].TryGetContainerId(out Guid container));
        Assert.Equal(s_container, container);

        Assert.True(bos.Capabilities[3].TryGetPlatform(out Guid platform, out ReadOnlySpan<byte> data));
        Assert.Equal(s_webUsb, platform);
        Assert.True(data.SequenceEqual(new byte[] { 0, 1, 5, 1 }));

        Assert.True(bos.Capabilities[4].TryGetSuperSpeedPlus(out UsbSuperSpeedPlusCapability? plus));
        Assert.Equal(2, plus.Sublinks.Count);
        Assert.Equal(2, plus.SublinkIdCount);
        Assert.Equal(0x1100, plus.FunctionalitySupport);
        Assert.Equal(10_000_000_000UL, plus.Sublinks[0].BitsPerSecond);
        Assert.False(plus.Sublinks[0].IsTransmit);
        Assert.True(plus.Sublinks[1].IsTransmit);
        Assert.Equal(1, plus.Sublinks[1].Id);
        Assert.True(plus.Sublinks[1].IsSuperSpeedPlus);
        Assert.False(plus.Sublinks[1].IsAsymmetric);

        Assert.Equal(0x7f, (int)bos.Capabilities[5].Type);
        Assert.True(bos.Capabilities[5].Data.SequenceEqual(new byte[] { 9, 8, 7 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => bos.Capabilities[6].Data.Length);
        Assert.Equal([2, 3, 4, 5, 10, 127], bos.Capabilities.Select(capability => (int)capability.Type));
        Assert.Equal("binary object store (Usb20Extension, SuperSpeed, ContainerId, Platform, SuperSpeedPlus, 0x7f)", bos.ToString());
        Assert.Equal("SuperSpeed capability (7 bytes)", bos.Capabilities[1].ToString());
        Assert.Equal("0x7f capability (3 bytes)", bos.Capabilities[5].ToString());
        Assert.Equal("SuperSpeedPlus capability (2 sublinks)", plus.ToString());
        Assert.False(bos.TryFind(UsbCapabilityType.WirelessUsb, out UsbDeviceCapability? absent));
        Assert.Null(absent);
    }

    [BusFact]
    public void A_device_without_capabilities_has_none()
    {
        using UsbDeviceHandle handle = Open(new BulkLoopback());
        Assert.Null(handle.GetBosDescriptor());
    }

    [BusFact]
    public void A_capability_that_is_too_short_is_not_read()
    {
        using UsbDeviceHandle handle = OpenWith(new DeviceCapability(4, new byte[8]), new DeviceCapability(0x0a, new byte[] { 0, 0xff, 0, 0, 0, 0, 0, 0, 0 }));
        UsbBosDescriptor bos = handle.GetBosDescriptor()!;
        Assert.False(bos.Capabilities[0].TryGetContainerId(out _));
        Assert.False(bos.Capabilities[1].TryGetSuperSpeedPlus(out _));
    }

    [BusFact]
    public void Interface_associations_are_found_at_any_position()
    {
        var device = new VirtualDevice(new DeviceDescription
        {
            Configurations =
            [
                new ConfigurationDescription(
                    new InterfaceDescription(0, new AlternateSetting()),
                    new InterfaceDescription(1, new AlternateSetting(new EndpointDescription(0x81, EndpointKind.Bulk, 512))),
                    new InterfaceDescription(2, new AlternateSetting()),
                    new InterfaceDescription(3, new AlternateSetting()))
                {
                    Associations = [new InterfaceAssociation(0, 2, 0x0e, 3, 1), new InterfaceAssociation(2, 2, 0x01)],
                },
            ],
        });
        Bus.Attach(device);
        using UsbDevice found = Context.FindDevice(device.Description.VendorId, device.Description.ProductId)!;
        Assert.Equal(
            [new UsbInterfaceAssociation(0, 2, 0x0e, 3, 1, 0), new UsbInterfaceAssociation(2, 2, 0x01, 0, 0, 0)],
            found.GetActiveConfigurationDescriptor().InterfaceAssociations);
    }

    [Theory]
    [InlineData(new byte[] { 3, 0x24, 1, 2, 0x25 }, 2, false)]
    [InlineData(new byte[] { 3, 0x24, 1, 4, 0x25 }, 1, true)]
    [InlineData(new byte[] { 0, 0x24 }, 0, true)]
    [InlineData(new byte[] { 1 }, 0, true)]
    [InlineData(new byte[] { }, 0, false)]
    public void A_walk_over_descriptors_stops_at_a_length_that_does_not_fit(byte[] bytes, int count, bool isMalformed)
    {
        var walk = new UsbExtraDescriptors(bytes);
        int seen = 0;
        while (walk.MoveNext())
        {
            Assert.Equal(walk.Current.Length, walk.Current[0]);
            seen++;
        }

        Assert.Equal(count, seen);
        Assert.Equal(isMalformed, walk.IsMalformed);
    }

    private UsbDeviceHandle OpenWith(params DeviceCapability[] capabilities) => Open(new VirtualDevice(new DeviceDescription
    {
        UsbVersion = 0x0210,
        Configurations = [new ConfigurationDescription(new InterfaceDescription(0, new AlternateSetting()))],
        Capabilities = capabilities,
    }));
}
