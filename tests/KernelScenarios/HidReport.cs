using System.Buffers.Binary;

namespace Native.LibUsb.Tests.Kernel;

/// <summary>Represents a report of QEMU's tablet: six bytes.</summary>
/// <param name="Buttons">The buttons: bit 0 is the left button, bit 1 the right button.</param>
/// <param name="X">The horizontal position, 0 to 32,767.</param>
/// <param name="Y">The vertical position, 0 to 32,767.</param>
/// <param name="Wheel">The steps of the wheel.</param>
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
