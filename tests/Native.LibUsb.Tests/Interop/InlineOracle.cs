namespace Native.LibUsb.Tests.Interop;

/// <summary>
/// Builds one shared library for each header. The library exports the header's inline functions with the prefix <c>c_</c>. The library also replaces the libusb
/// functions that the inline functions call, and records these calls. The tests therefore need no device.
/// </summary>
public sealed class InlineOracle : IDisposable
{
    private const string Source = """
        /* the type of the callback under a name without "const" */
        typedef libusb_transfer_cb_fn callback;

        static struct { uint64_t calls, handle, type, request, value, index, data, length, timeout, transfer, stream; } recorded;

        void take_record(void *to) { __builtin_memcpy(to, &recorded, sizeof recorded); __builtin_memset(&recorded, 0, sizeof recorded); }

        int libusb_control_transfer(libusb_device_handle *handle, uint8_t type, uint8_t request, uint16_t value, uint16_t index,
            unsigned char *data, uint16_t length, unsigned int timeout)
        {
            recorded.calls++; recorded.handle = (uintptr_t)handle; recorded.type = type; recorded.request = request; recorded.value = value;
            recorded.index = index; recorded.data = (uintptr_t)data; recorded.length = length; recorded.timeout = timeout;
            return -(int)length - 5;
        }

        void libusb_transfer_set_stream_id(struct libusb_transfer *transfer, uint32_t stream)
        {
            recorded.calls++; recorded.transfer = (uintptr_t)transfer; recorded.stream = stream;
        }

        struct libusb_version *libusb_get_version(void)
        {
            static struct libusb_version version = { 1, 0, 99, 7, "-fake", "" };
            return &version;
        }

        /* One function that 1.0.26 does not have, with the type that differs most between systems. */
        unsigned long libusb_get_session_data(libusb_device *dev) { return (unsigned long)(uintptr_t)dev + 1; }

        uint16_t c_libusb_cpu_to_le16(uint16_t x) { return libusb_cpu_to_le16(x); }
        uint16_t c_libusb_le16_to_cpu(uint16_t x) { return libusb_le16_to_cpu(x); }
        unsigned char *c_libusb_control_transfer_get_data(struct libusb_transfer *t) { return libusb_control_transfer_get_data(t); }
        struct libusb_control_setup *c_libusb_control_transfer_get_setup(struct libusb_transfer *t) { return libusb_control_transfer_get_setup(t); }
        void c_libusb_fill_control_setup(unsigned char *b, uint8_t t, uint8_t r, uint16_t v, uint16_t i, uint16_t l)
            { libusb_fill_control_setup(b, t, r, v, i, l); }
        void c_libusb_fill_control_transfer(struct libusb_transfer *t, libusb_device_handle *h, unsigned char *b, callback c, void *u, unsigned int o)
            { libusb_fill_control_transfer(t, h, b, c, u, o); }
        void c_libusb_fill_bulk_transfer(struct libusb_transfer *t, libusb_device_handle *h, unsigned char e, unsigned char *b, int l, callback c,
            void *u, unsigned int o) { libusb_fill_bulk_transfer(t, h, e, b, l, c, u, o); }
        void c_libusb_fill_bulk_stream_transfer(struct libusb_transfer *t, libusb_device_handle *h, unsigned char e, uint32_t s, unsigned char *b, int l,
            callback c, void *u, unsigned int o) { libusb_fill_bulk_stream_transfer(t, h, e, s, b, l, c, u, o); }
        void c_libusb_fill_interrupt_transfer(struct libusb_transfer *t, libusb_device_handle *h, unsigned char e, unsigned char *b, int l, callback c,
            void *u, unsigned int o) { libusb_fill_interrupt_transfer(t, h, e, b, l, c, u, o); }
        void c_libusb_fill_iso_transfer(struct libusb_transfer *t, libusb_device_handle *h, unsigned char e, unsigned char *b, int l, int n, callback c,
            void *u, unsigned int o) { libusb_fill_iso_transfer(t, h, e, b, l, n, c, u, o); }
        void c_libusb_set_iso_packet_lengths(struct libusb_transfer *t, unsigned int l) { libusb_set_iso_packet_lengths(t, l); }
        unsigned char *c_libusb_get_iso_packet_buffer(struct libusb_transfer *t, unsigned int p) { return libusb_get_iso_packet_buffer(t, p); }
        unsigned char *c_libusb_get_iso_packet_buffer_simple(struct libusb_transfer *t, unsigned int p) { return libusb_get_iso_packet_buffer_simple(t, p); }
        int c_libusb_get_descriptor(libusb_device_handle *h, uint8_t t, uint8_t i, unsigned char *d, int l) { return libusb_get_descriptor(h, t, i, d, l); }
        int c_libusb_get_string_descriptor(libusb_device_handle *h, uint8_t i, uint16_t g, unsigned char *d, int l)
            { return libusb_get_string_descriptor(h, i, g, d, l); }

        """;

    private readonly TemporaryFolder _folder = new();

    public InlineOracle()
    {
        foreach (LibUsbHeader header in LibUsbHeader.All)
            header.BuildLibrary(Source, PathFor(header.Name));
    }

    internal string PathFor(string header) => _folder.File($"libusb-inline-{header}.so");

    public void Dispose() => _folder.Dispose();
}
