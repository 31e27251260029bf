namespace Native.LibUsb.Testing;

/// <summary>Receives a packet that an <see cref="IsoSink"/> has taken. Called with the device's lock held.</summary>
/// <param name="number">The packet's number since the setting was selected. Paced, it is also the service interval.</param>
/// <param name="data">Its bytes; valid during the call only.</param>
public delegate void IsoPacketHandler(long number, ReadOnlySpan<byte> data);
