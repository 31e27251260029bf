namespace Native.LibUsb.Testing;

/// <summary>Represents an injected result of an isochronous packet.</summary>
/// <param name="Status">The status of the packet.</param>
/// <param name="Length">The number of bytes that are transferred. A shorter packet is transferred completely.</param>
public readonly record struct IsoFault(UrbStatus Status, int Length = 0);
