using System.Buffers.Binary;
using Native.LibUsb;
using Usbcap.Selection;

namespace Usbcap.Capture;

/// <summary>Writes the headers of the framed format, which the help text describes.</summary>
internal static class FrameHeader
{
    public const int Size = 16;

    /// <summary>Writes the header of the file.</summary>
    public static void WriteFile(Span<byte> header, EndpointChoice endpoint, int unitSize)
    {
        header[..Size].Clear();
        "usbcap\0\0"u8.CopyTo(header);
        header[8] = endpoint.Address;
        header[9] = (byte)endpoint.Kind;
        BinaryPrimitives.WriteInt32LittleEndian(header[12..], unitSize);
    }

    /// <summary>Writes the header of a packet or transfer.</summary>
    public static void Write(Span<byte> header, long number, int length, UsbTransferStatus status)
    {
        BinaryPrimitives.WriteInt64LittleEndian(header, number);
        BinaryPrimitives.WriteInt32LittleEndian(header[8..], length);
        header[12] = (byte)status;
        header[13..Size].Clear();
    }
}
