namespace Native.LibUsb.Testing;

/// <summary>Represents a fault that is injected into an isochronous packet. The fault determines the result of the packet.</summary>
/// <param name="Status">The status of the packet.</param>
/// <param name="Length">The maximum number of bytes that are transferred. If the packet has fewer bytes, all of them are transferred.</param>
public readonly record struct IsoFault(UrbStatus Status, int Length = 0);
