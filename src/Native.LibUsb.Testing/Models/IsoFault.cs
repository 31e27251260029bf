namespace Native.LibUsb.Testing;

/// <summary>Represents an injected result of an isochronous packet.</summary>
/// <param name="Status">The status of the packet.</param>
/// <param name="Length">The maximum number of bytes that are transferred. If the packet has fewer bytes, all of them are transferred.</param>
public readonly record struct IsoFault(UrbStatus Status, int Length = 0);
