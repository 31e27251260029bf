using System.Buffers.Binary;

namespace Native.LibUsb.Interop;

// The functions that libusb.h defines in itself. No library exports them, so they are written here, to do what the header's do to memory.
// Where a header's own arithmetic overflows an int, these do not.
public static unsafe partial class libusb
{
    /// <summary>Milliseconds that <see cref="libusb_get_descriptor"/> and <see cref="libusb_get_string_descriptor"/> wait, as in C.</summary>
    private const uint DescriptorTimeout = 1000;

    /// <summary>Converts a 16-bit number from this machine's byte order to the little-endian order of USB.</summary>
    /// <param name="x">The number.</param>
    /// <returns>The number with its bytes in little-endian order; unchanged on a little-endian machine.</returns>
    public static ushort libusb_cpu_to_le16(ushort x) => BitConverter.IsLittleEndian ? x : BinaryPrimitives.ReverseEndianness(x);

    /// <summary>Converts a 16-bit number from the little-endian order of USB to this machine's byte order. A macro in C.</summary>
    /// <param name="x">The number as on the wire.</param>
    /// <returns>The number; unchanged on a little-endian machine.</returns>
    public static ushort libusb_le16_to_cpu(ushort x) => libusb_cpu_to_le16(x);

    /// <summary>Gets where the data of a control transfer starts: behind the eight bytes of setup.</summary>
    /// <param name="transfer">A control transfer with a buffer.</param>
    /// <returns>A pointer into the transfer's buffer.</returns>
    public static byte* libusb_control_transfer_get_data(libusb_transfer* transfer) => transfer->buffer + sizeof(libusb_control_setup);

    /// <summary>Gets the setup of a control transfer: the first eight bytes of its buffer.</summary>
    /// <param name="transfer">A control transfer with a buffer.</param>
    /// <returns>A pointer into the transfer's buffer. The 16-bit fields behind it are little-endian.</returns>
    public static libusb_control_setup* libusb_control_transfer_get_setup(libusb_transfer* transfer) =>
        (libusb_control_setup*)transfer->buffer;

    /// <summary>Writes the eight bytes of setup at the start of a control buffer, in the byte order of USB.</summary>
    /// <param name="buffer">The buffer, at least eight bytes long and aligned to two bytes.</param>
    /// <param name="bmRequestType">Direction (bit 7), type (bits 5 and 6) and recipient (bits 0 to 4) of the request.</param>
    /// <param name="bRequest">The request.</param>
    /// <param name="wValue">The request's value, in this machine's byte order.</param>
    /// <param name="wIndex">The request's index, in this machine's byte order.</param>
    /// <param name="wLength">Length of the data stage in bytes, in this machine's byte order.</param>
    public static void libusb_fill_control_setup(
        byte* buffer, byte bmRequestType, byte bRequest, ushort wValue, ushort wIndex, ushort wLength)
    {
        var setup = (libusb_control_setup*)buffer;
        setup->bmRequestType = bmRequestType;
        setup->bRequest = bRequest;
        setup->wValue = libusb_cpu_to_le16(wValue);
        setup->wIndex = libusb_cpu_to_le16(wIndex);
        setup->wLength = libusb_cpu_to_le16(wLength);
    }

    /// <summary>Fills in a transfer for a control request.</summary>
    /// <param name="transfer">The transfer, not in flight.</param>
    /// <param name="dev_handle">The handle.</param>
    /// <param name="buffer">The setup, already filled in, and behind it the data. Aligned to two bytes. The transfer's length is taken from the
    /// setup. With null, the length becomes 0 (headers up to 1.0.30 leave the old length, which newer ones do not); set both before
    /// the submit.</param>
    /// <param name="callback">Called when the transfer is done.</param>
    /// <param name="user_data">Any value of the caller, for the callback.</param>
    /// <param name="timeout">Milliseconds; 0 for no limit.</param>
    /// <remarks>The flags are left as they are.</remarks>
    public static void libusb_fill_control_transfer(
        libusb_transfer* transfer,
        libusb_device_handle* dev_handle,
        byte* buffer,
        delegate* unmanaged<libusb_transfer*, void> callback,
        void* user_data,
        uint timeout)
    {
        var setup = (libusb_control_setup*)buffer;
        int length = setup == null ? 0 : sizeof(libusb_control_setup) + libusb_le16_to_cpu(setup->wLength);
        Fill(transfer, libusb_transfer_type.LIBUSB_TRANSFER_TYPE_CONTROL, dev_handle, 0, buffer, length, callback, user_data, timeout);
    }

    /// <summary>Fills in a transfer for a bulk endpoint.</summary>
    /// <param name="transfer">The transfer, not in flight.</param>
    /// <param name="dev_handle">The handle.</param>
    /// <param name="endpoint">The endpoint's address; bit 7 gives the direction.</param>
    /// <param name="buffer">The data to send, or the room for the data to receive. The buffer must not move while the transfer is in flight.</param>
    /// <param name="length">Length in bytes. For IN use a multiple of the packet size.</param>
    /// <param name="callback">Called when the transfer is done.</param>
    /// <param name="user_data">Any value of the caller, for the callback.</param>
    /// <param name="timeout">Milliseconds; 0 for no limit, which is best for streams.</param>
    /// <remarks>The flags are left as they are.</remarks>
    public static void libusb_fill_bulk_transfer(
        libusb_transfer* transfer,
        libusb_device_handle* dev_handle,
        byte endpoint,
        byte* buffer,
        int length,
        delegate* unmanaged<libusb_transfer*, void> callback,
        void* user_data,
        uint timeout) =>
        Fill(transfer, libusb_transfer_type.LIBUSB_TRANSFER_TYPE_BULK, dev_handle, endpoint, buffer, length, callback, user_data, timeout);

    /// <summary>Fills in a transfer for a USB 3 stream of a bulk endpoint.</summary>
    /// <param name="transfer">The transfer, not in flight.</param>
    /// <param name="dev_handle">The handle.</param>
    /// <param name="endpoint">The endpoint's address; bit 7 gives the direction.</param>
    /// <param name="stream_id">The stream, from 1 to what <see cref="libusb_alloc_streams"/> returned.</param>
    /// <param name="buffer">The data to send, or the room for the data to receive. The buffer must not move while the transfer is in flight.</param>
    /// <param name="length">Length in bytes.</param>
    /// <param name="callback">Called when the transfer is done.</param>
    /// <param name="user_data">Any value of the caller, for the callback.</param>
    /// <param name="timeout">Milliseconds; 0 for no limit.</param>
    /// <remarks>The flags are left as they are. The stream's number is kept in libusb's private part of the transfer, so the transfer must come
    /// from <see cref="libusb_alloc_transfer"/>.</remarks>
    public static void libusb_fill_bulk_stream_transfer(
        libusb_transfer* transfer,
        libusb_device_handle* dev_handle,
        byte endpoint,
        uint stream_id,
        byte* buffer,
        int length,
        delegate* unmanaged<libusb_transfer*, void> callback,
        void* user_data,
        uint timeout)
    {
        Fill(
            transfer, libusb_transfer_type.LIBUSB_TRANSFER_TYPE_BULK_STREAM, dev_handle, endpoint, buffer, length, callback, user_data, timeout);
        libusb_transfer_set_stream_id(transfer, stream_id);
    }

    /// <summary>Fills in a transfer for an interrupt endpoint.</summary>
    /// <param name="transfer">The transfer, not in flight.</param>
    /// <param name="dev_handle">The handle.</param>
    /// <param name="endpoint">The endpoint's address; bit 7 gives the direction.</param>
    /// <param name="buffer">The data to send, or the room for the data to receive. The buffer must not move while the transfer is in flight.</param>
    /// <param name="length">Length in bytes. For IN at least the packet size.</param>
    /// <param name="callback">Called when the transfer is done.</param>
    /// <param name="user_data">Any value of the caller, for the callback.</param>
    /// <param name="timeout">Milliseconds; 0 for no limit.</param>
    /// <remarks>The flags are left as they are.</remarks>
    public static void libusb_fill_interrupt_transfer(
        libusb_transfer* transfer,
        libusb_device_handle* dev_handle,
        byte endpoint,
        byte* buffer,
        int length,
        delegate* unmanaged<libusb_transfer*, void> callback,
        void* user_data,
        uint timeout) =>
        Fill(
            transfer, libusb_transfer_type.LIBUSB_TRANSFER_TYPE_INTERRUPT, dev_handle, endpoint, buffer, length, callback, user_data, timeout);

    /// <summary>Fills in a transfer for an isochronous endpoint, apart from the lengths of its packets.</summary>
    /// <param name="transfer">The transfer, not in flight.</param>
    /// <param name="dev_handle">The handle.</param>
    /// <param name="endpoint">The endpoint's address; bit 7 gives the direction.</param>
    /// <param name="buffer">The data to send, or the room for the data to receive. The buffer must not move while the transfer is in flight.</param>
    /// <param name="length">Length in bytes: at least the sum of the packets' lengths.</param>
    /// <param name="num_iso_packets">How many packets; never more than <see cref="libusb_alloc_transfer"/> was requested.</param>
    /// <param name="callback">Called when the transfer is done.</param>
    /// <param name="user_data">Any value of the caller, for the callback.</param>
    /// <param name="timeout">Milliseconds; 0 for no limit, which is best for streams.</param>
    /// <remarks>The flags are left as they are. Follow it with <see cref="libusb_set_iso_packet_lengths"/>.</remarks>
    public static void libusb_fill_iso_transfer(
        libusb_transfer* transfer,
        libusb_device_handle* dev_handle,
        byte endpoint,
        byte* buffer,
        int length,
        int num_iso_packets,
        delegate* unmanaged<libusb_transfer*, void> callback,
        void* user_data,
        uint timeout)
    {
        Fill(
            transfer, libusb_transfer_type.LIBUSB_TRANSFER_TYPE_ISOCHRONOUS, dev_handle, endpoint, buffer, length, callback, user_data, timeout);
        transfer->num_iso_packets = num_iso_packets;
    }

    /// <summary>Gives every packet of an isochronous transfer the same length.</summary>
    /// <param name="transfer">The transfer, not in flight, with its number of packets set.</param>
    /// <param name="length">Length of each packet in bytes.</param>
    /// <remarks>To be done before every submit, not only the first: WinUSB overwrites the lengths while the transfer is in flight.</remarks>
    public static void libusb_set_iso_packet_lengths(libusb_transfer* transfer, uint length)
    {
        libusb_iso_packet_descriptor* packets = IsoPackets(transfer);
        for (int i = 0; i < transfer->num_iso_packets; i++)
            packets[i].length = length;
    }

    /// <summary>Finds the data of one packet, also when the packets have different lengths. It adds up the lengths before it.</summary>
    /// <param name="transfer">An isochronous transfer.</param>
    /// <param name="packet">The packet, from 0.</param>
    /// <returns>A pointer into the transfer's buffer, or null when there is no such packet.</returns>
    /// <remarks>To go through all packets, add the lengths up yourself: a call for each is quadratic.</remarks>
    public static byte* libusb_get_iso_packet_buffer(libusb_transfer* transfer, uint packet)
    {
        if (!HasPacket(transfer, packet))
            return null;
        libusb_iso_packet_descriptor* packets = IsoPackets(transfer);
        nuint offset = 0;
        for (uint i = 0; i < packet; i++)
            offset += packets[i].length;
        return transfer->buffer + offset;
    }

    /// <summary>Finds the data of one packet when all packets have the length of the first.</summary>
    /// <param name="transfer">An isochronous transfer whose packets all have one length.</param>
    /// <param name="packet">The packet, from 0.</param>
    /// <returns>A pointer into the transfer's buffer, or null when there is no such packet.</returns>
    /// <remarks>The header multiplies in an int, which overflows at 2 GiB; this does not.</remarks>
    public static byte* libusb_get_iso_packet_buffer_simple(libusb_transfer* transfer, uint packet) =>
        HasPacket(transfer, packet) ? transfer->buffer + ((nuint)IsoPackets(transfer)->length * packet) : null;

    /// <summary>Reads a descriptor from the device with a control request, and waits for it, for up to one second.</summary>
    /// <param name="dev_handle">The handle.</param>
    /// <param name="desc_type">Kind of descriptor, see <see cref="libusb_descriptor_type"/>.</param>
    /// <param name="desc_index">Index of the descriptor among those of its kind.</param>
    /// <param name="data">Receives the descriptor as on the wire.</param>
    /// <param name="length">Room in bytes, 0 to 65,535: only the low 16 bits are used, as in C.</param>
    /// <returns>The number of bytes received, or a negative <see cref="libusb_error"/>, as <see cref="libusb_control_transfer"/>.</returns>
    public static int libusb_get_descriptor(libusb_device_handle* dev_handle, byte desc_type, byte desc_index, byte* data, int length) =>
        libusb_control_transfer(
            dev_handle,
            (byte)libusb_endpoint_direction.LIBUSB_ENDPOINT_IN,
            (byte)libusb_standard_request.LIBUSB_REQUEST_GET_DESCRIPTOR,
            (ushort)((desc_type << 8) | desc_index),
            0,
            data,
            unchecked((ushort)length),
            DescriptorTimeout);

    /// <summary>Reads a string descriptor from the device with a control request, and waits for it, for up to one second.</summary>
    /// <param name="dev_handle">The handle.</param>
    /// <param name="desc_index">Index of the string; 0 reads the list of languages.</param>
    /// <param name="langid">The language, such as 0x0409 for American English; 0 with index 0.</param>
    /// <param name="data">Receives the descriptor as on the wire: length, kind 3, then UTF-16 in little-endian order without a final NUL.</param>
    /// <param name="length">Room in bytes; 255 is always enough. Only the low 16 bits are used, as in C.</param>
    /// <returns>The number of bytes received, or a negative <see cref="libusb_error"/>, as <see cref="libusb_control_transfer"/>.</returns>
    public static int libusb_get_string_descriptor(libusb_device_handle* dev_handle, byte desc_index, ushort langid, byte* data, int length) =>
        libusb_control_transfer(
            dev_handle,
            (byte)libusb_endpoint_direction.LIBUSB_ENDPOINT_IN,
            (byte)libusb_standard_request.LIBUSB_REQUEST_GET_DESCRIPTOR,
            (ushort)(((int)libusb_descriptor_type.LIBUSB_DT_STRING << 8) | desc_index),
            langid,
            data,
            unchecked((ushort)length),
            DescriptorTimeout);

    private static void Fill(
        libusb_transfer* transfer,
        libusb_transfer_type type,
        libusb_device_handle* dev_handle,
        byte endpoint,
        byte* buffer,
        int length,
        delegate* unmanaged<libusb_transfer*, void> callback,
        void* user_data,
        uint timeout)
    {
        transfer->dev_handle = dev_handle;
        transfer->endpoint = endpoint;
        transfer->type = (byte)type;
        transfer->timeout = timeout;
        transfer->buffer = buffer;
        transfer->length = length;
        transfer->user_data = user_data;
        transfer->callback = callback;
    }

    // C's int: a negative number of packets is none, and a packet above int.MaxValue is above any number.
    private static bool HasPacket(libusb_transfer* transfer, uint packet) => packet < transfer->num_iso_packets;

    // The array starts right behind the last field. The structure's size is no help: its tail padding overlaps the first packet.
    private static libusb_iso_packet_descriptor* IsoPackets(libusb_transfer* transfer) =>
        (libusb_iso_packet_descriptor*)(&transfer->num_iso_packets + 1);
}
