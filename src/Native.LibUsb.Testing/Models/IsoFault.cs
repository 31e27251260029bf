namespace Native.LibUsb.Testing;

/// <summary>What an isochronous packet becomes instead of itself.</summary>
/// <param name="Status">How it ends.</param>
/// <param name="Length">The bytes that move; what is more than was asked for, or sent, is cut.</param>
public readonly record struct IsoFault(UrbStatus Status, int Length = 0);
