namespace Drivers.Camera;

/// <summary>Represents one picture.</summary>
/// <param name="Number">
/// The number of the picture, counted from 0. Dropped pictures are counted too, so a gap in the numbers means that pictures were dropped.
/// </param>
/// <param name="Data">The bytes of the picture, in the negotiated format.</param>
public sealed record CameraFrame(long Number, ReadOnlyMemory<byte> Data);
