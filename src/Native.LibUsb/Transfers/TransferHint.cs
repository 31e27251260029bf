using System.Globalization;

namespace Native.LibUsb;

/// <summary>Explains errors of transfers where libusb's code alone would mislead. Only made after a failure.</summary>
internal static class TransferHint
{
    /// <summary>Returns the hint for a bulk or interrupt transfer that was refused, or did not complete.</summary>
    /// <param name="error">What libusb returned.</param>
    /// <param name="type">The type of the transfer.</param>
    /// <param name="length">The number of bytes of the transfer; 0 if it is not known.</param>
    /// <param name="packetSize">The packet size of the endpoint; 0 if it is not known.</param>
    public static string? ForMove(UsbError error, UsbTransferType type, int length, int packetSize)
    {
        if (error != UsbError.Overflow)
            return ForSubmit(error, type, length);
        string rule = "A device may always send a whole packet, so the length of a read must be a multiple of the endpoint's packet size";
        return packetSize == 0 || length % packetSize == 0
            ? rule + "."
            : string.Create(CultureInfo.InvariantCulture, $"{rule}, {packetSize} bytes: read {(length / packetSize * packetSize) + packetSize} bytes and not {length}.");
    }

    /// <summary>Returns the hint for an isochronous transfer that was refused, because a packet is longer than the endpoint takes.</summary>
    /// <param name="error">What libusb returned.</param>
    /// <param name="length">The bytes of the longest packet.</param>
    /// <param name="endpoint">The endpoint in the active setting.</param>
    public static string? ForPacket(UsbError error, int length, UsbEndpointDescriptor endpoint) =>
        error == UsbError.InvalidParameter && length > endpoint.BytesPerInterval && length <= UsbfsLimits.PacketBytesBefore52
            ? LongPacket(length, endpoint)
            : null;

    /// <summary>Returns the message for a packet that is longer than an isochronous endpoint takes.</summary>
    public static string LongPacket(int length, UsbEndpointDescriptor endpoint) => string.Create(CultureInfo.InvariantCulture,
        $"{length} bytes are more than the {endpoint.BytesPerInterval} of endpoint 0x{endpoint.Address:x2} in one packet: see UsbEndpointDescriptor.BytesPerInterval.");

    /// <summary>Returns the message for an endpoint whose descriptor has an address that USB does not have.</summary>
    public static string ReservedBits(byte address) => $"The descriptor of endpoint 0x{address:x2} is wrong: it sets reserved bits of the address.";

    /// <summary>
    /// Returns the hint for a kernel that had no memory for a transfer; for isochronous and control transfers libusb calls that an I/O error. Or it was too large in
    /// another way.
    /// </summary>
    /// <param name="error">What libusb answered.</param>
    /// <param name="type">What kind of transfer.</param>
    /// <param name="length">Bytes of the largest piece that the kernel takes at once; of a control transfer, its data.</param>
    /// <param name="packetLength">Bytes of the longest isochronous packet.</param>
    public static string? ForSubmit(UsbError error, UsbTransferType type, int length, int packetLength = 0)
    {
        if (!OperatingSystem.IsLinux())
            return null;
        if (error == UsbError.InvalidParameter)
        {
            return type == UsbTransferType.Control && length > UsbfsLimits.ControlBytes
                ? string.Create(CultureInfo.InvariantCulture, $"Linux moves at most {UsbfsLimits.ControlBytes:N0} bytes in one control transfer.")
                : packetLength > UsbfsLimits.PacketBytesBefore52
                ? string.Create(CultureInfo.InvariantCulture,
                    $"Linux moves at most {UsbfsLimits.PacketBytes:N0} bytes in one isochronous packet, and {UsbfsLimits.PacketBytesBefore52:N0} before version 5.2.")
                : null;
        }

        bool memory = error == UsbError.NoMemory
            || (error == UsbError.IO && type is UsbTransferType.Isochronous or UsbTransferType.Control);
        if (!memory)
            return null;
        if (length > UsbfsLimits.ContiguousBytes && type is UsbTransferType.Isochronous or UsbTransferType.Interrupt)
        {
            return string.Create(CultureInfo.InvariantCulture,
                $"The kernel would need {length:N0} bytes in one piece, and has at most {UsbfsLimits.ContiguousBytes:N0}: make the transfer smaller (of an " +
                $"isochronous one, {UsbfsLimits.PacketsPerUrb} packets go together). Device memory (AllocateBuffer) can be longer only behind an IOMMU.");
        }

        string limit = UsbfsMemory.Limit is { } bytes
            ? string.Create(CultureInfo.InvariantCulture, $" ({bytes >> 20} MiB now)")
            : "";
        string setting = error == UsbError.IO && type == UsbTransferType.Isochronous
            ? " Or the endpoint is not in the alternate setting that is chosen (SetAlternateSetting)."
            : "";
        return $"Often the kernel's limit for all transfers in flight together{limit}: submit fewer or smaller transfers, or raise " +
            $"{UsbfsMemory.File}.{setting}";
    }
}
