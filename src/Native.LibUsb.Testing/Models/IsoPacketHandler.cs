namespace Native.LibUsb.Testing;

/// <summary>Represents the method that receives each packet of an <see cref="IsoSink"/> or <see cref="AudioSink"/>. It is called with the device's lock
/// held.</summary>
/// <param name="number">The number of the packet, counted since the setting was selected. For a paced endpoint, it is also the number of the service
/// interval.</param>
/// <param name="data">The bytes of the packet. They are valid only during the call.</param>
public delegate void IsoPacketHandler(long number, ReadOnlySpan<byte> data);
