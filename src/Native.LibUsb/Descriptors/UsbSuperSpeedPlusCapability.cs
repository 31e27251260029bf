using System.Buffers.Binary;

namespace Native.LibUsb;

/// <summary>Represents the SuperSpeedPlus capability.</summary>
public sealed class UsbSuperSpeedPlusCapability
{
    private const int FixedSize = 9;

    private UsbSuperSpeedPlusCapability(uint attributes, ushort functionality, UsbSublink[] sublinks)
    {
        Attributes = attributes;
        FunctionalitySupport = functionality;
        Sublinks = Array.AsReadOnly(sublinks);
    }

    /// <summary>Gets <c>bmAttributes</c>.</summary>
    public uint Attributes { get; }

    /// <summary>Gets <c>wFunctionalitySupport</c>: the lowest sublink speed and the fewest lanes per direction at which all functions work.</summary>
    public ushort FunctionalitySupport { get; }

    /// <summary>Gets the sublink attributes, in the order of the descriptor.</summary>
    public IReadOnlyList<UsbSublink> Sublinks { get; }

    /// <summary>Gets the number of different sublink ids.</summary>
    public int SublinkIdCount => (int)((Attributes >> 5) & 0xf) + 1;

    /// <summary>Returns a text such as <c>SuperSpeedPlus capability (2 sublinks)</c>.</summary>
    public override string ToString() => $"SuperSpeedPlus capability ({DescriptorText.Count(Sublinks.Count, "sublink")})";

    /// <summary>Reads the bytes after the header. Returns null if the announced number of sublinks needs more bytes.</summary>
    internal static UsbSuperSpeedPlusCapability? Read(ReadOnlySpan<byte> data)
    {
        if (data.Length < FixedSize)
            return null;
        uint attributes = BinaryPrimitives.ReadUInt32LittleEndian(data[1..]);
        var sublinks = new UsbSublink[(attributes & 0x1f) + 1];
        ReadOnlySpan<byte> rest = data[FixedSize..];
        if (rest.Length < sublinks.Length * sizeof(uint))
            return null;
        for (int i = 0; i < sublinks.Length; i++)
            sublinks[i] = new UsbSublink(BinaryPrimitives.ReadUInt32LittleEndian(rest[(i * sizeof(uint))..]));
        return new UsbSuperSpeedPlusCapability(attributes, BinaryPrimitives.ReadUInt16LittleEndian(data[5..]), sublinks);
    }
}
