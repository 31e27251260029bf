namespace Native.LibUsb;

/// <summary>Represents the SuperSpeed capability.</summary>
/// <param name="Attributes"><c>bmAttributes</c>.</param>
/// <param name="SpeedsSupported"><c>wSpeedSupported</c>: bit 0 is low speed, bit 1 full speed, bit 2 high speed, and bit 3 SuperSpeed.</param>
/// <param name="FunctionalitySupport"><c>bFunctionalitySupport</c>: the lowest speed at which all functions work.</param>
/// <param name="U1ExitLatency"><c>bU1DevExitLat</c>, in microseconds.</param>
/// <param name="U2ExitLatency"><c>bU2DevExitLat</c>, in microseconds.</param>
public readonly record struct UsbSuperSpeedCapability(
    byte Attributes, ushort SpeedsSupported, byte FunctionalitySupport, byte U1ExitLatency, ushort U2ExitLatency)
{
    /// <summary>Gets whether the device can report its latency tolerance.</summary>
    public bool SupportsLatencyToleranceMessages => (Attributes & (1 << 1)) != 0;
}
