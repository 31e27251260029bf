using Native.LibUsb;

namespace Usbcap;

/// <summary>Specifies the kinds of endpoints that can be captured. The values are equal to the values of <see cref="UsbTransferType"/>.</summary>
internal enum TransferKind
{
    Isochronous = 1,
    Bulk = 2,
    Interrupt = 3,
}

internal static class TransferKindNames
{
    public static string Name(this TransferKind kind) => kind switch
    {
        TransferKind.Isochronous => "isochronous",
        TransferKind.Bulk => "bulk",
        _ => "interrupt",
    };

    public static string Name(this UsbTransferType type) =>
        type == UsbTransferType.Control ? "control" : ((TransferKind)type).Name();
}
