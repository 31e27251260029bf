using System.Buffers.Binary;
using System.Text;

namespace Native.LibUsb.Tests.Usbcap;

/// <summary>Reads the framed format that the help of usbcap describes.</summary>
internal sealed record FramedFile(byte Endpoint, byte TransferType, int UnitSize, IReadOnlyList<FramedFile.Record> Records)
{
    private const int HeaderSize = 16;

    public static FramedFile Parse(byte[] file)
    {
        Assert.True(file.Length >= HeaderSize, $"{file.Length} bytes are no framed file");
        Assert.Equal("usbcap\0\0", Encoding.ASCII.GetString(file, 0, 8));
        var records = new List<Record>();
        int place = HeaderSize;
        while (place < file.Length)
        {
            ReadOnlySpan<byte> header = file.AsSpan(place, HeaderSize);
            int length = BinaryPrimitives.ReadInt32LittleEndian(header[8..]);
            records.Add(new Record(BinaryPrimitives.ReadInt64LittleEndian(header), (UsbTransferStatus)header[12], file[(place + HeaderSize)..(place + HeaderSize + length)]));
            place += HeaderSize + length;
        }

        return new FramedFile(file[8], file[9], BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(12)), records);
    }

    internal sealed record Record(long Number, UsbTransferStatus Status, byte[] Data);
}
