using System.Buffers.Binary;

namespace Native.LibUsb.Tests.Kernel;

/// <summary>Represents what QEMU's tablet sends: six bytes.</summary>
/// <param name="Buttons">Bit 0 is the left one, bit 1 the right one.</param>
/// <param name="X">0 to 32,767.</param>
/// <param name="Y">0 to 32,767.</param>
/// <param name="Wheel">Steps.</param>
public readonly record struct HidReport(byte Buttons, ushort X, ushort Y, sbyte Wheel)
{
    public const int Length = 6;

    public static HidReport Parse(ReadOnlySpan<byte> report)
    {
        Assert.Equal(Length, report.Length);
        return new HidReport(
            report[0], BinaryPrimitives.ReadUInt16LittleEndian(report[1..]), BinaryPrimitives.ReadUInt16LittleEndian(report[3..]), (sbyte)report[5]);
    }
}
