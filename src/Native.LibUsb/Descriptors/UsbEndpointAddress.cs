namespace Native.LibUsb;

/// <summary>Represents the parts of an endpoint address such as 0x81.</summary>
public static class UsbEndpointAddress
{
    /// <summary>The bit that is set if data comes from the device.</summary>
    public const byte DirectionMask = 0x80;

    /// <summary>The bits of the endpoint's number.</summary>
    public const byte NumberMask = 0x0f;

    /// <summary>Returns whether data on this endpoint comes from the device.</summary>
    /// <param name="address">The endpoint's address.</param>
    public static bool IsIn(byte address) => (address & DirectionMask) != 0;

    /// <summary>Gets the endpoint's number, 0 to 15.</summary>
    /// <param name="address">The endpoint's address.</param>
    public static int Number(byte address) => address & NumberMask;

    /// <summary>Returns whether an endpoint can have the address. The descriptors of a device may contain any value.</summary>
    internal static bool IsValid(byte address) => (address & ~(DirectionMask | NumberMask)) == 0;

    /// <summary>Throws if the address has bits that no endpoint address can have.</summary>
    internal static void Check(byte address, string parameter)
    {
        if (!IsValid(address))
            throw new ArgumentOutOfRangeException(parameter, address, $"0x{address:x2} is not an endpoint address: only bit 7 (direction) and bits 0 to 3 (number) may be set.");
    }
}
