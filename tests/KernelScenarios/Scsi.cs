using System.Buffers.Binary;

namespace Native.LibUsb.Tests.Kernel;

/// <summary>Provides the SCSI commands that the tests of a disk send.</summary>
public static class Scsi
{
    public const byte IllegalRequest = 5;
    public const byte UnitAttention = 6;
    public const byte OutOfRange = 0x21;

    public static byte[] TestUnitReady => new byte[6];

    /// <summary>Gets the command SYNCHRONIZE CACHE(10). When this command ends, the disk has stored all written data.</summary>
    public static byte[] SynchronizeCache => [0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    /// <summary>
    /// Gets the command READ CAPACITY(10). The disk answers with eight bytes: the number of the last block and the block size, both big-endian.
    /// </summary>
    public static byte[] ReadCapacity => [0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    public static byte[] RequestSense(int length) => [0x03, 0, 0, 0, (byte)length, 0];

    public static byte[] Inquiry(int length) => [0x12, 0, 0, 0, (byte)length, 0];

    /// <summary>Returns the command READ(10).</summary>
    public static byte[] Read(int firstBlock, int blocks) => OnBlocks(0x28, firstBlock, blocks);

    /// <summary>Returns the command WRITE(10).</summary>
    public static byte[] Write(int firstBlock, int blocks) => OnBlocks(0x2a, firstBlock, blocks);

    private static byte[] OnBlocks(byte operation, int firstBlock, int blocks)
    {
        byte[] command = new byte[10];
        command[0] = operation;
        BinaryPrimitives.WriteInt32BigEndian(command.AsSpan(2), firstBlock);
        BinaryPrimitives.WriteUInt16BigEndian(command.AsSpan(7), checked((ushort)blocks));
        return command;
    }
}
