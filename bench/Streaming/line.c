/* This program reads the same stream as LineRateCommand, and is written in the usual style of C. The benchmark compares the results of LineRateCommand with the
   results of this program.
   usage: line SECONDS TRANSFERS PACKETS */
#include <inttypes.h>
#include <libusb-1.0/libusb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static int64_t next, packets, bytes, lost, failed;
static int in_flight, transfers;
static bool stopping;

/* The times between the most recent callbacks. The array has one element per transfer. During a pause of the program, the device first fills all transfers, and
   only then loses packets. The array therefore still contains the pause when the program detects the loss. */
static double *pauses, last_callback;
static int64_t callbacks;

static double now(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void report_loss(int64_t count)
{
    double longest = 0;
    for (int i = 0; i < transfers; i++)
        longest = pauses[i] > longest ? pauses[i] : longest;
    fprintf(stderr, "  C lost %" PRId64 " packets; the longest time between two of the last %d callbacks was %.1f ms\n", count, transfers, longest * 1e3);
}

static void LIBUSB_CALL on_transfer(struct libusb_transfer *transfer)
{
    double time = now(CLOCK_MONOTONIC);
    if (last_callback > 0)
        pauses[callbacks++ % transfers] = time - last_callback;
    last_callback = time;
    for (int i = 0; i < transfer->num_iso_packets; i++) {
        const struct libusb_iso_packet_descriptor *packet = &transfer->iso_packet_desc[i];
        if (packet->status != LIBUSB_TRANSFER_COMPLETED || packet->actual_length < sizeof(int64_t)) {
            failed += transfer->status == LIBUSB_TRANSFER_COMPLETED && packet->status != LIBUSB_TRANSFER_COMPLETED;
            continue;
        }
        int64_t number;
        memcpy(&number, libusb_get_iso_packet_buffer_simple(transfer, (unsigned)i), sizeof number);
        if (number != next && packets > 0)
            report_loss(number - next);
        lost += number - next;
        next = number + 1;
        packets++;
        bytes += packet->actual_length;
    }
    if (stopping || transfer->status != LIBUSB_TRANSFER_COMPLETED || libusb_submit_transfer(transfer) != 0)
        in_flight--;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: line SECONDS TRANSFERS PACKETS\n");
        return 2;
    }
    int seconds = atoi(argv[1]), per_transfer = atoi(argv[3]);
    transfers = atoi(argv[2]);
    const int setting = 3, size = 49152, rate = 8000;
    const unsigned char endpoint = 0x81;
    libusb_context *context;
    if (libusb_init(&context) != 0)
        return 2;
    libusb_device_handle *handle = libusb_open_device_with_vid_pid(context, 0x1209, 0x0010);
    if (handle == NULL || libusb_claim_interface(handle, 0) != 0 || libusb_set_interface_alt_setting(handle, 0, setting) != 0) {
        fprintf(stderr, "line: there is no camera at SuperSpeed\n");
        return 2;
    }
    pauses = calloc((size_t)transfers, sizeof *pauses);
    struct libusb_transfer **all = calloc((size_t)transfers, sizeof *all);
    for (int i = 0; i < transfers; i++) {
        all[i] = libusb_alloc_transfer(per_transfer);
        int length = per_transfer * size;
        libusb_fill_iso_transfer(all[i], handle, endpoint, aligned_alloc(64, (size_t)length), length, per_transfer, on_transfer, NULL, 0);
        libusb_set_iso_packet_lengths(all[i], (unsigned)size);
        if (libusb_submit_transfer(all[i]) != 0) {
            fprintf(stderr, "line: libusb accepted only %d transfers\n", i);
            return 2;
        }
        in_flight++;
    }
    while (next < rate)
        libusb_handle_events(context);
    double start = now(CLOCK_MONOTONIC), processor = now(CLOCK_PROCESS_CPUTIME_ID);
    int64_t first_packets = packets, first_bytes = bytes;
    while (next < (int64_t)rate * (seconds + 1) && in_flight > 0)
        libusb_handle_events(context);
    double elapsed = now(CLOCK_MONOTONIC) - start;
    processor = now(CLOCK_PROCESS_CPUTIME_ID) - processor;
    int64_t got = packets - first_packets, got_bytes = bytes - first_bytes;
    stopping = true;
    for (int i = 0; i < transfers; i++)
        libusb_cancel_transfer(all[i]);
    while (in_flight > 0)
        libusb_handle_events(context);
    printf("%" PRId64 " packets, %.3f MB/s, lost %" PRId64 ", processor %.3f s (%.2f %%)\n",
           got, (double)got_bytes / elapsed / 1e6, lost + failed, processor, processor / elapsed * 100);
    for (int i = 0; i < transfers; i++) {
        free(all[i]->buffer);
        libusb_free_transfer(all[i]);
    }
    free(all);
    free(pauses);
    libusb_close(handle);
    libusb_exit(context);
    return lost + failed == 0 ? 0 : 1;
}
