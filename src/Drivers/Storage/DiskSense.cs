namespace Drivers.Storage;

/// <summary>Represents the sense data of a disk: the reason why the disk did not execute a command.</summary>
/// <param name="Key">The sense key: 2 not ready, 3 medium error, 5 illegal request, 6 unit attention, 7 data protect.</param>
/// <param name="Code">The additional sense code.</param>
/// <param name="Qualifier">The additional sense code qualifier.</param>
public readonly record struct DiskSense(byte Key, byte Code, byte Qualifier)
{
    /// <summary>The number of bytes that the driver requests.</summary>
    internal const int Size = 18;

    private const int Least = 14; // up to and including the qualifier

    internal const byte UnitAttention = 6;

    internal static DiskSense Parse(ReadOnlySpan<byte> data) => data.Length >= Least
        ? new DiskSense((byte)(data[2] & 0x0f), data[12], data[13])
        : throw new DiskException($"The disk described an error with {data.Length} bytes instead of at least {Least}.");

    /// <inheritdoc/>
    public override string ToString() => $"sense key {Key}, code 0x{Code:x2}, qualifier 0x{Qualifier:x2}";
}
