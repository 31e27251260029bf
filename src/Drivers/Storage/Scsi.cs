using System.Buffers.Binary;

namespace Drivers.Storage;

/// <summary>Creates the SCSI commands for a disk.</summary>
internal static class Scsi
{
    public const int InquirySize = 36, CapacitySize = 8;

    public static byte[] TestUnitReady() => new byte[6];

    public static byte[] RequestSense() => [0x03, 0, 0, 0, DiskSense.Size, 0];

    public static byte[] Inquiry() => [0x12, 0, 0, 0, InquirySize, 0];

    public static byte[] ReadCapacity() => [0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    public static byte[] Read(uint block, ushort count) => Blocks(0x28, block, count);

    public static byte[] Write(uint block, ushort count) => Blocks(0x2a, block, count);

    public static byte[] SynchronizeCache() => Blocks(0x35, 0, 0); // for the whole disk

    private static byte[] Blocks(byte operation, uint block, ushort count)
    {
        byte[] command = new byte[10];
        command[0] = operation;
        BinaryPrimitives.WriteUInt32BigEndian(command.AsSpan(2), block);
        BinaryPrimitives.WriteUInt16BigEndian(command.AsSpan(7), count);
        return command;
    }
}
