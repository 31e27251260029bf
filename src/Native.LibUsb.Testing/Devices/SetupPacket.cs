using System.Buffers.Binary;

namespace Native.LibUsb.Testing;

/// <summary>Represents the eight bytes that start a control transfer.</summary>
/// <param name="RequestType"><c>bmRequestType</c>.</param>
/// <param name="Request"><c>bRequest</c>.</param>
/// <param name="Value"><c>wValue</c>.</param>
/// <param name="Index"><c>wIndex</c>.</param>
/// <param name="Length"><c>wLength</c>.</param>
public readonly record struct SetupPacket(byte RequestType, byte Request, ushort Value, ushort Index, ushort Length)
{
    /// <summary>Gets whether the data goes to the host.</summary>
    public bool IsIn => (RequestType & 0x80) != 0;

    /// <summary>Gets the type: 0 standard, 1 class, 2 vendor.</summary>
    public int Type => (RequestType >> 5) & 3;

    /// <summary>Gets the recipient: 0 device, 1 interface, 2 endpoint, 3 other.</summary>
    public int Recipient => RequestType & 31;

    internal static SetupPacket Read(ReadOnlySpan<byte> bytes) => new(bytes[0], bytes[1], BinaryPrimitives.ReadUInt16LittleEndian(bytes[2..]),
        BinaryPrimitives.ReadUInt16LittleEndian(bytes[4..]), BinaryPrimitives.ReadUInt16LittleEndian(bytes[6..]));
}
