namespace Native.LibUsb;

/// <summary>
/// Represents the set-up packet of a control transfer, without <c>wLength</c>. The transfer itself sets <c>wLength</c> to the length of the data.
/// </summary>
/// <param name="RequestType">
/// <c>bmRequestType</c>: bit 7 is the direction (1 = from the device), bits 5 and 6 are the kind, bits 0 to 4 are the recipient.
/// </param>
/// <param name="Request"><c>bRequest</c>: the number of the request.</param>
/// <param name="Value"><c>wValue</c>.</param>
/// <param name="Index"><c>wIndex</c>: the interface's number or the endpoint's address, if the recipient is an interface or an endpoint.</param>
public readonly record struct UsbControlSetup(byte RequestType, byte Request, ushort Value, ushort Index)
{
    /// <summary>The length of a set-up packet in bytes.</summary>
    public const int Size = 8;

    /// <summary>Gets whether the data comes from the device.</summary>
    public bool IsIn => (RequestType & UsbEndpointAddress.DirectionMask) != 0;

    /// <summary>Initializes a set-up packet from the parts of its request type.</summary>
    /// <param name="direction">The direction of the data.</param>
    /// <param name="kind">The kind of the request.</param>
    /// <param name="recipient">The recipient of the request.</param>
    /// <param name="request"><c>bRequest</c>.</param>
    /// <param name="value"><c>wValue</c>.</param>
    /// <param name="index"><c>wIndex</c>.</param>
    public UsbControlSetup(UsbDirection direction, UsbRequestKind kind, UsbRecipient recipient, byte request, ushort value, ushort index)
        : this((byte)((int)direction | (int)kind | (int)recipient), request, value, index)
    {
    }
}
