namespace Native.LibUsb;

/// <summary>Represents the companion descriptor of a SuperSpeed endpoint.</summary>
/// <param name="MaxBurst"><c>bMaxBurst</c>: the packets of a burst less one, 0 to 15.</param>
/// <param name="Attributes"><c>bmAttributes</c>: for bulk the exponent of the number of streams, for isochronous the bursts less one.</param>
/// <param name="BytesPerInterval"><c>wBytesPerInterval</c>: the bytes that a periodic endpoint moves in one service interval.</param>
public readonly record struct UsbSuperSpeedCompanion(byte MaxBurst, byte Attributes, ushort BytesPerInterval);
