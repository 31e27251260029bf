namespace Drivers.Camera;

/// <summary>Represents one picture.</summary>
/// <param name="Number">The number of the picture, counted from 0. Pictures that were not whole are counted, so that a gap shows them.</param>
/// <param name="Data">The bytes of the picture, in the format that was negotiated.</param>
public sealed record CameraFrame(long Number, ReadOnlyMemory<byte> Data);
