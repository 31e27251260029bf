namespace Native.LibUsb.Testing;

/// <summary>Represents the method that receives each packet of an <see cref="IsoSink"/> or <see cref="AudioSink"/>. The caller holds the device's
/// lock.</summary>
/// <param name="number">The number of the packet, counted since the setting was selected. For a paced endpoint, this number is also the number of the
/// service interval.</param>
/// <param name="data">The bytes of the packet. They are valid only during the call.</param>
public delegate void IsoPacketHandler(long number, ReadOnlySpan<byte> data);
