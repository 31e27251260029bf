using System.Buffers.Binary;

namespace Native.LibUsb.Interop;

// libusb.h defines these functions inline, and no library exports them, so this file contains C# versions of the functions. The C# functions read and write
// memory as the header's functions do. There is one difference: if a calculation in the header can overflow an int, the C# function uses a type that does not
// overflow.
public static unsafe partial class libusb
{
    /// <summary>
    /// The timeout of <see cref="libusb_get_descriptor"/> and <see cref="libusb_get_string_descriptor"/> in milliseconds. The value is the same as in C.
    /// </summary>
    private const uint DescriptorTimeout = 1000;

    /// <summary>Converts a 16-bit number from this machine's byte order to the little-endian order of USB.</summary>
    /// <param name="x">The number.</param>
    /// <returns>The number with its bytes in little-endian order. On a little-endian machine, this is the same number.</returns>
    public static ushort libusb_cpu_to_le16(ushort x) => BitConverter.IsLittleEndian ? x : BinaryPrimitives.ReverseEndianness(x);

    /// <summary>Converts a 16-bit number from the little-endian order of USB to this machine's byte order. In C, this is a macro.</summary>
    /// <param name="x">The number, in little-endian order.</param>
    /// <returns>The number in this machine's byte order. On a little-endian machine, this is the same number.</returns>
    public static ushort libusb_le16_to_cpu(ushort x) => libusb_cpu_to_le16(x);

    /// <summary>Gets the address of a control transfer's data, which follows the eight-byte setup.</summary>
    /// <param name="transfer">A control transfer with a buffer.</param>
    /// <returns>A pointer into the transfer's buffer.</returns>
    public static byte* libusb_control_transfer_get_data(libusb_transfer* transfer) => transfer->buffer + sizeof(libusb_control_setup);

    /// <summary>Gets the setup of a control transfer: the first eight bytes of its buffer.</summary>
    /// <param name="transfer">A control transfer with a buffer.</param>
    /// <returns>A pointer into the transfer's buffer. The 16-bit fields of the setup are little-endian.</returns>
    public static libusb_control_setup* libusb_control_transfer_get_setup(libusb_transfer* transfer) =>
        (libusb_control_setup*)transfer->buffer;

    /// <summary>Writes the eight bytes of setup at the start of a control buffer, in the byte order of USB.</summary>
    /// <param name="buffer">The buffer, at least eight bytes long and aligned to two bytes.</param>
    /// <param name="bmRequestType">The direction (bit 7), the type (bits 5 and 6) and the recipient (bits 0 to 4) of the request.</param>
    /// <param name="bRequest">The request.</param>
    /// <param name="wValue">The request's value, in this machine's byte order.</param>
    /// <param name="wIndex">The request's index, in this machine's byte order.</param>
    /// <param name="wLength">The length of the data stage in bytes, in this machine's byte order.</param>
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
    /// <param name="transfer">The transfer, which must not be in flight.</param>
    /// <param name="dev_handle">The device handle.</param>
    /// <param name="buffer">
    /// The buffer, aligned to two bytes. It contains the setup and then the data. Fill in the setup before the call, because this function calculates the
    /// transfer's length from the setup. If you pass null, this function sets the length to 0. In this case, set the transfer's buffer and length before you
    /// submit the transfer. The C function keeps the old length if it receives null (in all versions of libusb.h up to 1.0.30).
    /// </param>
    /// <param name="callback">The function that libusb calls when the transfer has completed.</param>
    /// <param name="user_data">A value that the callback can read from the transfer. libusb does not use the value.</param>
    /// <param name="timeout">The timeout in milliseconds; 0 for no timeout.</param>
    /// <remarks>The transfer's flags are not changed.</remarks>
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
    /// <param name="transfer">The transfer, which must not be in flight.</param>
    /// <param name="dev_handle">The device handle.</param>
    /// <param name="endpoint">The endpoint's address; bit 7 is the direction.</param>
    /// <param name="buffer">The data to send, or the memory for received data. The buffer must not move while the transfer is in flight.</param>
    /// <param name="length">The length of the buffer in bytes. For an IN endpoint, use a multiple of the packet size.</param>
    /// <param name="callback">The function that libusb calls when the transfer has completed.</param>
    /// <param name="user_data">A value that the callback can read from the transfer. libusb does not use the value.</param>
    /// <param name="timeout">The timeout in milliseconds; 0 for no timeout. For continuous data, 0 is best.</param>
    /// <remarks>The transfer's flags are not changed.</remarks>
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
    /// <param name="transfer">The transfer, which must not be in flight.</param>
    /// <param name="dev_handle">The device handle.</param>
    /// <param name="endpoint">The endpoint's address; bit 7 is the direction.</param>
    /// <param name="stream_id">The stream's number, from 1 to the count of streams that <see cref="libusb_alloc_streams"/> returned.</param>
    /// <param name="buffer">The data to send, or the memory for received data. The buffer must not move while the transfer is in flight.</param>
    /// <param name="length">The length of the buffer in bytes.</param>
    /// <param name="callback">The function that libusb calls when the transfer has completed.</param>
    /// <param name="user_data">A value that the callback can read from the transfer. libusb does not use the value.</param>
    /// <param name="timeout">The timeout in milliseconds; 0 for no timeout.</param>
    /// <remarks>The transfer's flags are not changed. libusb stores the stream's number in a private part of the transfer, so the transfer must come from
    /// <see cref="libusb_alloc_transfer"/>.</remarks>
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
    /// <param name="transfer">The transfer, which must not be in flight.</param>
    /// <param name="dev_handle">The device handle.</param>
    /// <param name="endpoint">The endpoint's address; bit 7 is the direction.</param>
    /// <param name="buffer">The data to send, or the memory for received data. The buffer must not move while the transfer is in flight.</param>
    /// <param name="length">The length of the buffer in bytes. For an IN endpoint, use at least the packet size.</param>
    /// <param name="callback">The function that libusb calls when the transfer has completed.</param>
    /// <param name="user_data">A value that the callback can read from the transfer. libusb does not use the value.</param>
    /// <param name="timeout">The timeout in milliseconds; 0 for no timeout.</param>
    /// <remarks>The transfer's flags are not changed.</remarks>
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

    /// <summary>Fills in a transfer for an isochronous endpoint, except for the lengths of the packets.</summary>
    /// <param name="transfer">The transfer, which must not be in flight.</param>
    /// <param name="dev_handle">The device handle.</param>
    /// <param name="endpoint">The endpoint's address; bit 7 is the direction.</param>
    /// <param name="buffer">The data to send, or the memory for received data. The buffer must not move while the transfer is in flight.</param>
    /// <param name="length">The length of the buffer in bytes: at least the sum of the packets' lengths.</param>
    /// <param name="num_iso_packets">The number of packets; at most the number that was passed to <see cref="libusb_alloc_transfer"/>.</param>
    /// <param name="callback">The function that libusb calls when the transfer has completed.</param>
    /// <param name="user_data">A value that the callback can read from the transfer. libusb does not use the value.</param>
    /// <param name="timeout">The timeout in milliseconds; 0 for no timeout. For continuous data, 0 is best.</param>
    /// <remarks>The transfer's flags are not changed. Call <see cref="libusb_set_iso_packet_lengths"/> after this function.</remarks>
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

    /// <summary>Sets the lengths of all packets of an isochronous transfer to one value.</summary>
    /// <param name="transfer">The transfer, which must not be in flight. Set its <c>num_iso_packets</c> before the call.</param>
    /// <param name="length">The length of each packet in bytes.</param>
    /// <remarks>Call this function before every submission, because WinUSB overwrites the lengths while the transfer is in flight.</remarks>
    public static void libusb_set_iso_packet_lengths(libusb_transfer* transfer, uint length)
    {
        libusb_iso_packet_descriptor* packets = IsoPackets(transfer);
        for (int i = 0; i < transfer->num_iso_packets; i++)
            packets[i].length = length;
    }

    /// <summary>
    /// Finds the data of one packet, even if the packets have different lengths. To find the data, the function adds up the lengths of all earlier packets.
    /// </summary>
    /// <param name="transfer">An isochronous transfer.</param>
    /// <param name="packet">The index of the packet, from 0.</param>
    /// <returns>A pointer into the transfer's buffer; null if there is no such packet.</returns>
    /// <remarks>If you call this function for each packet of a transfer, the total time grows with the square of the number of packets. To read all packets,
    /// add up the lengths yourself.</remarks>
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

    /// <summary>Finds the data of one packet if all packets have the length of the first packet.</summary>
    /// <param name="transfer">An isochronous transfer whose packets all have the same length.</param>
    /// <param name="packet">The index of the packet, from 0.</param>
    /// <returns>A pointer into the transfer's buffer; null if there is no such packet.</returns>
    /// <remarks>The C function multiplies the packet's index by the length of a packet. The product is an int, which overflows at 2 GiB. This function uses a
    /// type that does not overflow.</remarks>
    public static byte* libusb_get_iso_packet_buffer_simple(libusb_transfer* transfer, uint packet) =>
        HasPacket(transfer, packet) ? transfer->buffer + ((nuint)IsoPackets(transfer)->length * packet) : null;

    /// <summary>Reads a descriptor from the device with a control request, and waits for up to one second.</summary>
    /// <param name="dev_handle">The device handle.</param>
    /// <param name="desc_type">The type of the descriptor; see <see cref="libusb_descriptor_type"/>.</param>
    /// <param name="desc_index">The index of the descriptor among the descriptors of its type.</param>
    /// <param name="data">Receives the bytes of the descriptor as the device sent them.</param>
    /// <param name="length">The length of <paramref name="data"/> in bytes, 0 to 65,535. As in C, a larger number is truncated to 16 bits.</param>
    /// <returns>The number of bytes received, or a negative <see cref="libusb_error"/>; see <see cref="libusb_control_transfer"/>.</returns>
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

    /// <summary>Reads a string descriptor from the device with a control request, and waits for up to one second.</summary>
    /// <param name="dev_handle">The device handle.</param>
    /// <param name="desc_index">The index of the string. With 0, the function reads the list of languages.</param>
    /// <param name="langid">The language, such as 0x0409 for American English. Use 0 with index 0.</param>
    /// <param name="data">Receives the bytes of the descriptor as the device sent them: the length, the type 3, and little-endian UTF-16 text without a final
    /// NUL.</param>
    /// <param name="length">The length of <paramref name="data"/> in bytes; 255 is always enough. As in C, only the low 16 bits are used.</param>
    /// <returns>The number of bytes received, or a negative <see cref="libusb_error"/>; see <see cref="libusb_control_transfer"/>.</returns>
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

    // As in C, num_iso_packets is a signed int, and the comparison is signed. If num_iso_packets is negative, the transfer has no packets. An index above
    // int.MaxValue is always too large.
    private static bool HasPacket(libusb_transfer* transfer, uint packet) => packet < transfer->num_iso_packets;

    // The array of packets begins directly after the last field of the structure. In a 64-bit process, this place is inside the structure's tail padding, so
    // the array's offset is less than the structure's size.
    private static libusb_iso_packet_descriptor* IsoPackets(libusb_transfer* transfer) =>
        (libusb_iso_packet_descriptor*)(&transfer->num_iso_packets + 1);
}
