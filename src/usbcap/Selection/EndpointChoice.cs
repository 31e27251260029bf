using System.Globalization;
using Native.LibUsb;

namespace Usbcap.Selection;

/// <summary>Represents an endpoint of an alternate setting, as it is captured.</summary>
/// <param name="Interface"><c>bInterfaceNumber</c>.</param>
/// <param name="AlternateSetting"><c>bAlternateSetting</c>.</param>
/// <param name="Address">With the direction bit.</param>
/// <param name="Type">Its kind.</param>
/// <param name="MaxPacketSize">Bytes of a packet.</param>
/// <param name="BytesPerInterval">Bytes of a service interval; for bulk endpoints the packet size.</param>
/// <param name="ServiceInterval">Time from packet to packet; zero for bulk endpoints.</param>
internal sealed record EndpointChoice(
    int Interface, int AlternateSetting, byte Address, UsbTransferType Type, int MaxPacketSize, int BytesPerInterval, TimeSpan ServiceInterval)
{
    public bool IsIn => UsbEndpointAddress.IsIn(Address);

    public TransferKind Kind => (TransferKind)Type;

    /// <summary>Bytes a second at most, for periodic endpoints; otherwise the packet size, which is as good to compare with.</summary>
    public double Bandwidth => ServiceInterval > TimeSpan.Zero ? BytesPerInterval / ServiceInterval.TotalSeconds : BytesPerInterval;

    /// <summary>Returns a text such as <c>0x81 (isochronous IN)</c>.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"0x{Address:x2} ({Type.Name()} {(IsIn ? "IN" : "OUT")})");
}
