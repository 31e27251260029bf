using System.Buffers.Binary;

namespace Drivers.Camera;

/// <summary>
/// Represents the stream parameters that a camera and its driver negotiate. The bytes have the layout of the probe and commit controls in UVC 1.0. Later
/// versions of UVC only append fields.
/// </summary>
/// <param name="Format">The number of the format, counted from 1.</param>
/// <param name="Frame">The number of the picture size, counted from 1.</param>
/// <param name="Interval">The time between two pictures, in units of 100 ns.</param>
/// <param name="FrameSize">The maximum number of bytes in a picture. The camera determines this value.</param>
/// <param name="PayloadSize">The maximum number of bytes in a payload. The camera determines this value.</param>
internal readonly record struct StreamParameters(byte Format, byte Frame, uint Interval, uint FrameSize = 0, uint PayloadSize = 0)
{
    /// <summary>The size of the control in bytes.</summary>
    public const int Size = 26;

    public byte[] Write()
    {
        byte[] control = new byte[Size];
        control[0] = 1; // the camera must keep the interval and may change the other parameters
        control[2] = Format;
        control[3] = Frame;
        BinaryPrimitives.WriteUInt32LittleEndian(control.AsSpan(4), Interval);
        BinaryPrimitives.WriteUInt32LittleEndian(control.AsSpan(18), FrameSize);
        BinaryPrimitives.WriteUInt32LittleEndian(control.AsSpan(22), PayloadSize);
        return control;
    }

    /// <exception cref="InvalidDataException">The camera's answer is too short.</exception>
    public static StreamParameters Parse(ReadOnlySpan<byte> control) => control.Length >= Size
        ? new StreamParameters(
            control[2], control[3], BinaryPrimitives.ReadUInt32LittleEndian(control[4..]), BinaryPrimitives.ReadUInt32LittleEndian(control[18..]),
            BinaryPrimitives.ReadUInt32LittleEndian(control[22..]))
        : throw new InvalidDataException($"The camera answered the probe control with {control.Length} bytes instead of {Size}.");
}
