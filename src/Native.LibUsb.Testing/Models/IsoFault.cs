namespace Native.LibUsb.Testing;

/// <summary>Represents the replacement of an isochronous packet.</summary>
/// <param name="Status">How it ends.</param>
/// <param name="Length">The bytes that move; what is more than was requested, or sent, is cut.</param>
public readonly record struct IsoFault(UrbStatus Status, int Length = 0);
