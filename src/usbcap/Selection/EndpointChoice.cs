using System.Globalization;
using Native.LibUsb;

namespace Usbcap.Selection;

/// <summary>Represents an endpoint in an alternate setting.</summary>
/// <param name="Interface"><c>bInterfaceNumber</c>.</param>
/// <param name="AlternateSetting"><c>bAlternateSetting</c>.</param>
/// <param name="Address">The endpoint address, including the direction bit.</param>
/// <param name="Type">The transfer type.</param>
/// <param name="MaxPacketSize">The maximum number of bytes in a packet.</param>
/// <param name="BytesPerInterval">The maximum number of bytes in a service interval, or the packet size of a bulk endpoint.</param>
/// <param name="ServiceInterval">The length of a service interval, or zero for a bulk endpoint.</param>
internal sealed record EndpointChoice(
    int Interface, int AlternateSetting, byte Address, UsbTransferType Type, int MaxPacketSize, int BytesPerInterval, TimeSpan ServiceInterval)
{
    public bool IsIn => UsbEndpointAddress.IsIn(Address);

    public TransferKind Kind => (TransferKind)Type;

    /// <summary>
    /// Gets the maximum bandwidth of a periodic endpoint in bytes per second. For bulk endpoints, gets the packet size. This size is sufficient to compare bulk
    /// endpoints with each other.
    /// </summary>
    public double Bandwidth => ServiceInterval > TimeSpan.Zero ? BytesPerInterval / ServiceInterval.TotalSeconds : BytesPerInterval;

    /// <summary>Returns a text such as <c>0x81 (isochronous IN)</c>.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"0x{Address:x2} ({Type.Name()} {(IsIn ? "IN" : "OUT")})");
}
