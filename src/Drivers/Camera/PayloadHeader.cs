namespace Drivers.Camera;

/// <summary>Represents the header at the start of each payload. On isochronous endpoints, each packet is a payload.</summary>
/// <param name="Length">The length of the header in bytes.</param>
/// <param name="FrameId">The frame bit, which changes with each picture.</param>
/// <param name="EndsFrame">Whether the picture ends with this payload.</param>
/// <param name="HasError">Whether the camera reports an error in the picture.</param>
internal readonly record struct PayloadHeader(int Length, bool FrameId, bool EndsFrame, bool HasError)
{
    private const int Least = 2, TimeSize = 4, ClockSize = 6;

    /// <summary>Reads a header.</summary>
    /// <returns>False if the header is truncated, or shorter than its flags require.</returns>
    public static bool TryParse(ReadOnlySpan<byte> payload, out PayloadHeader header)
    {
        header = default;
        if (payload.Length < Least || payload[0] < Least || payload[0] > payload.Length)
            return false;
        byte flags = payload[1];
        int demanded = Least + ((flags & 0x04) != 0 ? TimeSize : 0) + ((flags & 0x08) != 0 ? ClockSize : 0);
        if (payload[0] < demanded)
            return false;
        header = new PayloadHeader(payload[0], (flags & 0x01) != 0, (flags & 0x02) != 0, (flags & 0x40) != 0);
        return true;
    }
}
