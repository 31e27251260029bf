namespace Native.LibUsb;

/// <summary>Represents one sublink attribute of a SuperSpeedPlus device.</summary>
/// <param name="Value">The 32 bits of the attribute, as the device sent them.</param>
public readonly record struct UsbSublink(uint Value)
{
    /// <summary>Gets the sublink's id, 0 to 15.</summary>
    public int Id => (int)(Value & 0xf);

    /// <summary>Gets the bits per second of one lane.</summary>
    public ulong BitsPerSecond => (Value >> 16) * (((Value >> 4) & 3) switch { 0 => 1UL, 1 => 1_000UL, 2 => 1_000_000UL, _ => 1_000_000_000UL });

    /// <summary>Gets whether the sublink differs by direction.</summary>
    public bool IsAsymmetric => (Value & (1 << 6)) != 0;

    /// <summary>Gets whether the attribute describes the transmitting direction.</summary>
    public bool IsTransmit => (Value & (1 << 7)) != 0;

    /// <summary>Gets whether the protocol is SuperSpeedPlus; otherwise it is SuperSpeed.</summary>
    public bool IsSuperSpeedPlus => ((Value >> 14) & 3) == 1;
}
