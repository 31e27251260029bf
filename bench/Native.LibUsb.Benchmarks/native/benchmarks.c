/* Does the work of the benchmarks in C. The C# code makes one native call for a whole walk or a whole run, so P/Invoke adds only a small constant time. */
#include <libusb-1.0/libusb.h>
#include <stddef.h>
#include <stdint.h>

#define EXPORT __attribute__((visibility("default")))

/* The work for one packet is the same in every walk and language: read the status, the length and the first byte. */
struct sums {
    uint64_t bytes;
    uint32_t failed;
    uint8_t check;
};

static inline void take(struct sums *sums, const struct libusb_iso_packet_descriptor *packet, const uint8_t *data)
{
    if (packet->status != LIBUSB_TRANSFER_COMPLETED) {
        sums->failed++;
        return;
    }
    sums->bytes += packet->actual_length;
    if (packet->actual_length > 0)
        sums->check ^= data[0];
}

static inline uint64_t told(const struct sums *sums)
{
    return sums->bytes | (uint64_t)sums->check << 40 | (uint64_t)sums->failed << 48;
}

EXPORT uint64_t walk_get_iso_packet_buffer(struct libusb_transfer *transfer)
{
    struct sums sums = { 0 };
    for (int i = 0; i < transfer->num_iso_packets; i++)
        take(&sums, &transfer->iso_packet_desc[i], libusb_get_iso_packet_buffer(transfer, (unsigned)i));
    return told(&sums);
}

EXPORT uint64_t walk_get_iso_packet_buffer_simple(struct libusb_transfer *transfer)
{
    struct sums sums = { 0 };
    for (int i = 0; i < transfer->num_iso_packets; i++)
        take(&sums, &transfer->iso_packet_desc[i], libusb_get_iso_packet_buffer_simple(transfer, (unsigned)i));
    return told(&sums);
}

EXPORT uint64_t walk_pointer_arithmetic(struct libusb_transfer *transfer)
{
    struct sums sums = { 0 };
    const uint8_t *data = transfer->buffer;
    const struct libusb_iso_packet_descriptor *packet = transfer->iso_packet_desc, *end = packet + transfer->num_iso_packets;
    for (; packet != end; data += packet->length, packet++)
        take(&sums, packet, data);
    return told(&sums);
}

/* Calls the callbacks of many transfers one after another, as libusb does when it reaps transfers. */
EXPORT void dispatch(struct libusb_transfer *const *transfers, int count)
{
    for (int i = 0; i < count; i++)
        transfers[i]->callback(transfers[i]);
}

EXPORT void LIBUSB_CALL count_in_c(struct libusb_transfer *transfer)
{
    ++*(int *)transfer->user_data;
}

/* Submits and completes transfers. Each callback submits its transfer again until the run ends. */
struct run {
    int to_submit;  /* the number of submissions that remain */
    int to_complete;
    int failed;
    int done;
};

static void LIBUSB_CALL completed(struct libusb_transfer *transfer)
{
    struct run *run = transfer->user_data;
    if (transfer->status != LIBUSB_TRANSFER_COMPLETED)
        run->failed = 1;
    if (--run->to_complete == 0)
        run->done = 1;
    if (run->to_submit > 0) {
        run->to_submit--;
        if (libusb_submit_transfer(transfer) != 0)
            run->failed = run->done = 1;
    }
}

EXPORT int submit_and_complete(libusb_context *context, struct libusb_transfer *const *transfers, int in_flight, int count)
{
    struct run run = { .to_submit = count, .to_complete = count };
    for (int i = 0; i < in_flight; i++) {
        transfers[i]->callback = completed;
        transfers[i]->user_data = &run;
        run.to_submit--;
        if (libusb_submit_transfer(transfers[i]) != 0)
            return -1;
    }
    while (!run.done)
        if (libusb_handle_events_completed(context, &run.done) < 0)
            return -1;
    return run.failed ? -1 : count;
}

EXPORT int bulk_reads(libusb_device_handle *handle, uint8_t endpoint, uint8_t *data, int length, int count)
{
    int total = 0, moved;
    for (int i = 0; i < count; i++) {
        if (libusb_bulk_transfer(handle, endpoint, data, length, &moved, 0) != 0)
            return -1;
        total += moved;
    }
    return total;
}

/* Walks over all descriptors of a device: configurations, interfaces, alternate settings, endpoints and class-specific descriptors. */
static uint64_t extra(const uint8_t *bytes, int length)
{
    uint64_t sum = 0;
    while (length >= 2 && bytes[0] >= 2 && bytes[0] <= length) {
        sum += bytes[1];
        length -= bytes[0];
        bytes += bytes[0];
    }
    return sum;
}

EXPORT uint64_t walk_descriptors(libusb_device *device)
{
    struct libusb_device_descriptor descriptor;
    struct libusb_config_descriptor *configuration;
    uint64_t sum = 0;
    if (libusb_get_device_descriptor(device, &descriptor) != 0)
        return 0;
    for (uint8_t c = 0; c < descriptor.bNumConfigurations; c++) {
        if (libusb_get_config_descriptor(device, c, &configuration) != 0)
            return 0;
        sum += configuration->bConfigurationValue + extra(configuration->extra, configuration->extra_length);
        for (int i = 0; i < configuration->bNumInterfaces; i++) {
            const struct libusb_interface *interface = &configuration->interface[i];
            for (int a = 0; a < interface->num_altsetting; a++) {
                const struct libusb_interface_descriptor *setting = &interface->altsetting[a];
                sum += setting->bInterfaceClass + extra(setting->extra, setting->extra_length);
                for (int e = 0; e < setting->bNumEndpoints; e++) {
                    const struct libusb_endpoint_descriptor *endpoint = &setting->endpoint[e];
                    sum += endpoint->bEndpointAddress + extra(endpoint->extra, endpoint->extra_length);
                }
            }
        }
        libusb_free_config_descriptor(configuration);
    }
    return sum;
}

EXPORT int list_devices(libusb_context *context)
{
    libusb_device **list;
    int sum = 0;
    ssize_t count = libusb_get_device_list(context, &list);
    for (ssize_t i = 0; i < count; i++)
        sum += libusb_get_device_address(list[i]);
    if (count >= 0)
        libusb_free_device_list(list, 1);
    return sum;
}
