using System.Buffers.Binary;

namespace Native.LibUsb.Tests.Kernel;

/// <summary>Represents a report of six bytes from QEMU's tablet.</summary>
/// <param name="Buttons">The state of the buttons: bit 0 is the left button, and bit 1 is the right button.</param>
/// <param name="X">The horizontal position, from 0 to 32,767.</param>
/// <param name="Y">The vertical position, from 0 to 32,767.</param>
/// <param name="Wheel">The number of steps that the wheel has moved.</param>
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
