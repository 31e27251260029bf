using System.Buffers.Binary;

namespace Drivers.Storage;

/// <summary>Represents the status wrapper with which a device ends a command.</summary>
/// <param name="HasFailed">Whether the command failed. The sense data contains the reason.</param>
/// <param name="Residue">The number of data bytes that the device did not process.</param>
internal readonly record struct CommandStatus(bool HasFailed, int Residue)
{
    public const int Size = 13;

    private const uint Signature = 0x53425355;
    private const byte Passed = 0, Failed = 1, PhaseError = 2;

    /// <summary>Determines whether the received bytes are the status wrapper of a command. A device that has no data to send may send the status wrapper in
    /// place of the data.</summary>
    public static bool IsWrapper(ReadOnlySpan<byte> data, uint tag) =>
        data.Length == Size && BinaryPrimitives.ReadUInt32LittleEndian(data) == Signature && BinaryPrimitives.ReadUInt32LittleEndian(data[4..]) == tag;

    /// <summary>Reads a status wrapper.</summary>
    /// <exception cref="DiskException">The wrapper is not valid, or reports a phase error.</exception>
    public static CommandStatus Parse(ReadOnlySpan<byte> wrapper, uint tag, int dataLength)
    {
        if (wrapper.Length != Size)
            throw new DiskException($"The disk ended a command with {wrapper.Length} bytes instead of {Size}.");
        if (BinaryPrimitives.ReadUInt32LittleEndian(wrapper) != Signature)
            throw new DiskException("The disk ended a command without the signature of a status wrapper.");
        uint answered = BinaryPrimitives.ReadUInt32LittleEndian(wrapper[4..]);
        if (answered != tag)
            throw new DiskException($"The disk ended command 0x{answered:x}, and command 0x{tag:x} was sent.");
        uint residue = BinaryPrimitives.ReadUInt32LittleEndian(wrapper[8..]);
        byte status = wrapper[12];
        if (status == PhaseError)
            throw new DiskException("The disk reports a phase error.");
        if (status is not (Passed or Failed))
            throw new DiskException($"The disk ended a command with the unknown status {status}.");
        if (residue > (uint)dataLength)
            throw new DiskException($"The disk reports that {residue} bytes of {dataLength} are left over.");
        return new CommandStatus(status == Failed, (int)residue);
    }
}
