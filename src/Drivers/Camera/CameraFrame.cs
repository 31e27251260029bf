namespace Drivers.Camera;

/// <summary>Represents one picture.</summary>
/// <param name="Number">The number of the picture, counted from 0. Dropped pictures count too, so a gap in the numbers shows them.</param>
/// <param name="Data">The bytes of the picture, in the negotiated format.</param>
public sealed record CameraFrame(long Number, ReadOnlyMemory<byte> Data);
