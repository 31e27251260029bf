namespace Native.LibUsb;

/// <summary>Represents the set-up packet of a control transfer, without its length (which is that of the data).</summary>
/// <param name="RequestType">
/// <c>bmRequestType</c>: bit 7 is the direction (1 = from the device), bits 5 and 6 the type, bits 0 to 4 the recipient.
/// </param>
/// <param name="Request"><c>bRequest</c>: what is requested.</param>
/// <param name="Value"><c>wValue</c>.</param>
/// <param name="Index"><c>wIndex</c>: for interface and endpoint recipients their number or address.</param>
public readonly record struct UsbControlSetup(byte RequestType, byte Request, ushort Value, ushort Index)
{
    /// <summary>The number of bytes of a set-up packet.</summary>
    public const int Size = 8;

    /// <summary>Gets whether the data comes from the device.</summary>
    public bool IsIn => (RequestType & UsbEndpointAddress.DirectionMask) != 0;

    /// <summary>Initializes a set-up packet from named parts.</summary>
    /// <param name="direction">Which way the data goes.</param>
    /// <param name="kind">Who defines the request.</param>
    /// <param name="recipient">Who it is for.</param>
    /// <param name="request"><c>bRequest</c>.</param>
    /// <param name="value"><c>wValue</c>.</param>
    /// <param name="index"><c>wIndex</c>.</param>
    public UsbControlSetup(UsbDirection direction, UsbRequestKind kind, UsbRecipient recipient, byte request, ushort value, ushort index)
        : this((byte)((int)direction | (int)kind | (int)recipient), request, value, index)
    {
    }
}
