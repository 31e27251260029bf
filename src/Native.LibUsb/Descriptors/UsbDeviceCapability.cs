using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Native.LibUsb;

/// <summary>
/// Represents one device capability. The TryGet methods decode the well-known types without libusb, so they work with every version of libusb. They return
/// false if the capability is too short for its type.
/// </summary>
public sealed class UsbDeviceCapability
{
    internal const int HeaderSize = 3;
    private const int GuidSize = 16;

    private readonly byte[] _data;

    internal UsbDeviceCapability(ReadOnlySpan<byte> descriptor)
    {
        Type = (UsbCapabilityType)descriptor[2];
        _data = descriptor[HeaderSize..].ToArray();
    }

    /// <summary>Gets <c>bDevCapabilityType</c>.</summary>
    public UsbCapabilityType Type { get; }

    /// <summary>Gets the bytes of the capability after its header of three bytes.</summary>
    public ReadOnlySpan<byte> Data => _data;

    /// <summary>Gets the content of a USB 2.0 extension.</summary>
    /// <param name="extension">The content.</param>
    /// <returns>Whether this capability is a USB 2.0 extension.</returns>
    public bool TryGetUsb20Extension(out Usb20Extension extension)
    {
        ReadOnlySpan<byte> data = Data;
        bool found = Type == UsbCapabilityType.Usb20Extension && data.Length >= 4;
        extension = found ? new Usb20Extension(BinaryPrimitives.ReadUInt32LittleEndian(data)) : default;
        return found;
    }

    /// <summary>Gets the content of a SuperSpeed capability.</summary>
    /// <param name="capability">The content.</param>
    /// <returns>Whether this capability is a SuperSpeed capability.</returns>
    public bool TryGetSuperSpeed(out UsbSuperSpeedCapability capability)
    {
        ReadOnlySpan<byte> data = Data;
        bool found = Type == UsbCapabilityType.SuperSpeed && data.Length >= 7;
        capability = found
            ? new UsbSuperSpeedCapability(
                data[0], BinaryPrimitives.ReadUInt16LittleEndian(data[1..]), data[3], data[4], BinaryPrimitives.ReadUInt16LittleEndian(data[5..]))
            : default;
        return found;
    }

    /// <summary>Gets the content of a SuperSpeedPlus capability.</summary>
    /// <param name="capability">The content; null if this capability is of another type.</param>
    /// <returns>Whether this capability is a SuperSpeedPlus capability.</returns>
    public bool TryGetSuperSpeedPlus([NotNullWhen(true)] out UsbSuperSpeedPlusCapability? capability)
    {
        capability = Type == UsbCapabilityType.SuperSpeedPlus ? UsbSuperSpeedPlusCapability.Read(Data) : null;
        return capability is not null;
    }

    /// <summary>Gets the container id. All functions of one piece of hardware have the same container id.</summary>
    /// <param name="containerId">The id.</param>
    /// <returns>Whether this capability is a container id.</returns>
    public bool TryGetContainerId(out Guid containerId)
    {
        ReadOnlySpan<byte> data = Data;
        bool found = Type == UsbCapabilityType.ContainerId && data.Length >= 1 + GuidSize;
        containerId = found ? new Guid(data.Slice(1, GuidSize)) : default;
        return found;
    }

    /// <summary>Gets the content of a platform capability, such as the capability for WebUSB or for Microsoft OS 2.0 descriptors.</summary>
    /// <param name="platform">The identifier of the platform.</param>
    /// <param name="capabilityData">The data of the platform, as the device sent it.</param>
    /// <returns>Whether this capability is a platform capability.</returns>
    public bool TryGetPlatform(out Guid platform, out ReadOnlySpan<byte> capabilityData)
    {
        ReadOnlySpan<byte> data = Data;
        bool found = Type == UsbCapabilityType.Platform && data.Length >= 1 + GuidSize;
        platform = found ? new Guid(data.Slice(1, GuidSize)) : default;
        capabilityData = found ? data[(1 + GuidSize)..] : default;
        return found;
    }

    /// <summary>Returns a text such as <c>SuperSpeed capability (7 bytes)</c>; the number of bytes is the length of <see cref="Data"/>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{TypeText} capability ({DescriptorText.Count(_data.Length, "byte")})");

    /// <summary>Gets the name of the type, or its number if it has none here.</summary>
    internal string TypeText => Enum.IsDefined(Type) ? Type.ToString() : string.Create(CultureInfo.InvariantCulture, $"0x{(byte)Type:x2}");
}
