/* A program that reads a bulk endpoint in one of three ways. The benchmark compares the results of MemoryCommand with the results of this program.
   copy: the transfers have ordinary memory, and the callback copies the data into memory of the program, as many programs do
   ordinary: the transfers have ordinary memory, and the callback reads the data in place
   device: the transfers have the kernel's memory (libusb_dev_mem_alloc), and the callback reads the data in place
   usage: memory MODE VENDOR PRODUCT MEBIBYTES SIZE TRANSFERS */
#include <inttypes.h>
#include <libusb-1.0/libusb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static unsigned char *copy; /* NULL if the data is read in place */
static int64_t left;
static uint64_t sum;
static int in_flight, failed;

/* Reads one word of each 64 bytes, like a program that looks at all of its data. */
static void look_at(const unsigned char *data, int length)
{
    for (int i = 0; i + 8 <= length; i += 64) {
        uint64_t word;
        memcpy(&word, data + i, sizeof word);
        sum ^= word;
    }
}

static void LIBUSB_CALL on_transfer(struct libusb_transfer *transfer)
{
    const unsigned char *data = transfer->buffer;
    if (copy != NULL)
        data = memcpy(copy, transfer->buffer, (size_t)transfer->actual_length);
    look_at(data, transfer->actual_length);
    left -= transfer->actual_length;
    failed += transfer->status != LIBUSB_TRANSFER_COMPLETED;
    if (left <= 0 || failed != 0 || libusb_submit_transfer(transfer) != 0)
        in_flight--;
}

static double now(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    if (argc != 7) {
        fprintf(stderr, "usage: memory copy|ordinary|device VENDOR PRODUCT MEBIBYTES SIZE TRANSFERS\n");
        return 2;
    }
    bool device_memory = strcmp(argv[1], "device") == 0;
    int64_t total = (int64_t)atoi(argv[4]) << 20;
    int size = atoi(argv[5]), transfers = atoi(argv[6]);
    libusb_context *context;
    if (libusb_init(&context) != 0)
        return 2;
    libusb_device_handle *handle = libusb_open_device_with_vid_pid(context, (uint16_t)strtol(argv[2], NULL, 16), (uint16_t)strtol(argv[3], NULL, 16));
    if (handle == NULL || libusb_claim_interface(handle, 0) != 0) {
        fprintf(stderr, "memory: the device cannot be opened\n");
        return 2;
    }
    struct libusb_config_descriptor *configuration;
    unsigned char endpoint = 0;
    if (libusb_get_active_config_descriptor(libusb_get_device(handle), &configuration) != 0)
        return 2;
    const struct libusb_interface_descriptor *setting = configuration->interface[0].altsetting;
    for (int i = 0; i < setting->bNumEndpoints; i++) {
        if (setting->endpoint[i].bEndpointAddress & LIBUSB_ENDPOINT_IN)
            endpoint = setting->endpoint[i].bEndpointAddress;
    }
    libusb_free_config_descriptor(configuration);
    if (strcmp(argv[1], "copy") == 0)
        copy = aligned_alloc(4096, (size_t)size);
    unsigned char *memory = device_memory ? libusb_dev_mem_alloc(handle, (size_t)size * (size_t)transfers) : aligned_alloc(4096, (size_t)size * (size_t)transfers);
    if (memory == NULL) {
        fprintf(stderr, "memory: there is no such memory\n");
        return 2;
    }
    left = total;
    double start = now(CLOCK_MONOTONIC), processor = now(CLOCK_PROCESS_CPUTIME_ID);
    struct libusb_transfer **all = calloc((size_t)transfers, sizeof *all);
    for (int i = 0; i < transfers; i++) {
        all[i] = libusb_alloc_transfer(0);
        libusb_fill_bulk_transfer(all[i], handle, endpoint, memory + (size_t)i * (size_t)size, size, on_transfer, NULL, 0);
        if (libusb_submit_transfer(all[i]) != 0) {
            fprintf(stderr, "memory: libusb accepted only %d transfers\n", i);
            return 2;
        }
        in_flight++;
    }
    while (in_flight > 0)
        libusb_handle_events(context);
    double elapsed = now(CLOCK_MONOTONIC) - start;
    processor = now(CLOCK_PROCESS_CPUTIME_ID) - processor;
    printf("%.0f ns/KiB of processor time, %.1f MB/s, sum %" PRIx64 ", %d failed\n", processor * 1e9 / (double)((total - left) >> 10), (double)(total - left) / elapsed / 1e6,
           sum, failed);
    for (int i = 0; i < transfers; i++)
        libusb_free_transfer(all[i]);
    if (device_memory)
        libusb_dev_mem_free(handle, memory, (size_t)size * (size_t)transfers);
    else
        free(memory);
    free(all);
    free(copy);
    libusb_close(handle);
    libusb_exit(context);
    return failed;
}
