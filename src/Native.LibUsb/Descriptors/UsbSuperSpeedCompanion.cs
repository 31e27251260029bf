namespace Native.LibUsb;

/// <summary>Represents the companion descriptor of a SuperSpeed endpoint.</summary>
/// <param name="MaxBurst"><c>bMaxBurst</c>: the number of packets in a burst minus one, 0 to 15.</param>
/// <param name="Attributes"><c>bmAttributes</c>: for a bulk endpoint, the base-2 logarithm of the number of streams; for an isochronous endpoint, the number of
/// bursts minus one.</param>
/// <param name="BytesPerInterval"><c>wBytesPerInterval</c>: the number of bytes that a periodic endpoint transfers in one service interval.</param>
public readonly record struct UsbSuperSpeedCompanion(byte MaxBurst, byte Attributes, ushort BytesPerInterval);
