using System.Globalization;

namespace Native.LibUsb;

/// <summary>Creates hints that explain failed transfers for which libusb's error code alone would be misleading.</summary>
internal static class TransferHint
{
    /// <summary>Returns the hint for a bulk or interrupt transfer that was refused or that failed.</summary>
    /// <param name="error">The error that libusb returned.</param>
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

    /// <summary>
    /// Returns the hint for an isochronous transfer that was refused because a packet is longer than the endpoint allows; null for other errors.
    /// </summary>
    /// <param name="error">The error that libusb returned.</param>
    /// <param name="length">The length of the longest packet in bytes.</param>
    /// <param name="endpoint">The endpoint in the active setting.</param>
    public static string? ForPacket(UsbError error, int length, UsbEndpointDescriptor endpoint) =>
        error == UsbError.InvalidParameter && length > endpoint.BytesPerInterval && length <= UsbfsLimits.PacketBytesBefore52
            ? LongPacket(length, endpoint)
            : null;

    /// <summary>Returns the message for a packet that is longer than an isochronous endpoint allows.</summary>
    public static string LongPacket(int length, UsbEndpointDescriptor endpoint) => string.Create(CultureInfo.InvariantCulture,
        $"{length} bytes are more than the {endpoint.BytesPerInterval} of endpoint 0x{endpoint.Address:x2} in one packet: see UsbEndpointDescriptor.BytesPerInterval.");

    /// <summary>Returns the message for an endpoint whose descriptor has an invalid address.</summary>
    public static string ReservedBits(byte address) => $"The descriptor of endpoint 0x{address:x2} is wrong: it sets reserved bits of the address.";

    /// <summary>
    /// Returns the hint for a transfer that the kernel refused because the kernel did not have enough memory, or because the transfer exceeds a limit of the
    /// kernel. For isochronous and control transfers, libusb reports a lack of memory as an I/O error.
    /// </summary>
    /// <param name="error">The error that libusb returned.</param>
    /// <param name="type">The type of the transfer.</param>
    /// <param name="length">The number of bytes of data. For an isochronous transfer, the number of bytes in its largest URB.</param>
    /// <param name="packetLength">The length of the longest isochronous packet in bytes; 0 if there is none.</param>
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
                $"The kernel would need {length:N0} contiguous bytes, and provides at most {UsbfsLimits.ContiguousBytes:N0}: make the transfer smaller (an isochronous " +
                $"transfer needs the memory of {UsbfsLimits.PacketsPerUrb} packets at once). Device memory (AllocateBuffer) can be longer only with an IOMMU.");
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
