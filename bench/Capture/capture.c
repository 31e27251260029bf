/* A capture program in the usual style of C. The benchmark compares corresponding programs in C# and in Python with this program.
 *
 * usage: capture c KIND SIZE PACKETS DEPTH DEVICES CONTEXTS      (Work.cs explains these arguments)
 *
 * Each context has a share of the devices and a thread that handles its events. Each device has DEPTH transfers in flight. The callback of a
 * transfer submits the transfer again. The program reads the results of every transfer and the first byte of its data.
 *
 * Each line of the input is a number. For each line, the program completes this number of transfers in each context, and prints the processor
 * time and the elapsed time of these transfers in nanoseconds. The report program (bench/Report) writes this input. It writes a line to one
 * program after another, so that the programs run in turn. At the end of the input, the program prints its results as JSON. */
#include <errno.h>
#include <inttypes.h>
#include <libusb-1.0/libusb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { INTERFACE = 0, ENDPOINT_IN = 0x81, VENDOR = 0x1209, BULK_PRODUCT = 0x0014, ISO_PRODUCT = 0x0010, MAX_CONTEXTS = 64, MAX_DEVICES = 64 };

static bool iso, sync_calls;
static int size, packets, depth, devices, contexts;
static int64_t transfers;

/* one thread and its data */
struct capture {
    pthread_t thread;
    libusb_context *context;
    libusb_device_handle *handles[MAX_DEVICES];
    int handle_count, in_flight;
    bool stopping;
    struct libusb_transfer **all;
    unsigned char *buffer; /* of synchronous transfers */
    int64_t completed, failed, bytes, sum;
    int64_t processor; /* processor time of this thread in the slice */
};

static pthread_barrier_t slice_begins, slice_ends;
static bool ended;

static void fail(const char *what, int error)
{
    fprintf(stderr, "capture: %s: %s\n", what, error < 0 ? libusb_error_name(error) : strerror(error));
    exit(1);
}

static int64_t number(const char *text, const char *name, int64_t least, int64_t most)
{
    char *end;
    errno = 0;
    int64_t value = strtoll(text, &end, 10);
    if (errno || *end || end == text || value < least || value > most) {
        fprintf(stderr, "capture: %s must be %" PRId64 " to %" PRId64 ", but is '%s'\n", name, least, most, text);
        exit(2);
    }
    return value;
}

static int64_t now(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static void again(struct capture *capture, struct libusb_transfer *transfer)
{
    capture->completed++;
    if (capture->stopping || libusb_submit_transfer(transfer) != 0)
        capture->in_flight--;
}

static void LIBUSB_CALL on_bulk(struct libusb_transfer *transfer)
{
    struct capture *capture = transfer->user_data;
    if (transfer->status == LIBUSB_TRANSFER_COMPLETED && transfer->actual_length > 0) {
        capture->bytes += transfer->actual_length;
        capture->sum += transfer->buffer[0];
    } else {
        capture->failed++;
    }
    again(capture, transfer);
}

static void LIBUSB_CALL on_iso(struct libusb_transfer *transfer)
{
    struct capture *capture = transfer->user_data;
    int64_t bytes = 0, sum = 0, failed = 0;
    for (int i = 0; i < transfer->num_iso_packets; i++) {
        const struct libusb_iso_packet_descriptor *packet = &transfer->iso_packet_desc[i];
        if (packet->status == LIBUSB_TRANSFER_COMPLETED && packet->actual_length > 0) {
            bytes += packet->actual_length;
            sum += *libusb_get_iso_packet_buffer_simple(transfer, (unsigned)i);
        } else {
            failed++;
        }
    }
    capture->failed += failed;
    capture->bytes += bytes;
    capture->sum += sum;
    again(capture, transfer);
}

static void open_devices(struct capture *capture, int first, int step)
{
    libusb_device **list;
    int error = libusb_init(&capture->context);
    if (error)
        fail("libusb_init", error);
    ssize_t count = libusb_get_device_list(capture->context, &list);
    int found = 0;
    for (ssize_t i = 0; i < count; i++) {
        struct libusb_device_descriptor descriptor;
        libusb_get_device_descriptor(list[i], &descriptor);
        if (descriptor.idVendor != VENDOR || descriptor.idProduct != (iso ? ISO_PRODUCT : BULK_PRODUCT))
            continue;
        int index = found++;
        if (index >= devices || index % step != first)
            continue;
        libusb_device_handle **handle = &capture->handles[capture->handle_count++];
        if ((error = libusb_open(list[i], handle)) != 0)
            fail("libusb_open", error);
        if ((error = libusb_claim_interface(*handle, INTERFACE)) != 0)
            fail("libusb_claim_interface", error);
        if (iso && (error = libusb_set_interface_alt_setting(*handle, INTERFACE, 1)) != 0)
            fail("libusb_set_interface_alt_setting", error);
    }
    libusb_free_device_list(list, 1);
    if (found < devices) {
        fprintf(stderr, "capture: found %d matching devices, but %d are needed\n", found, devices);
        exit(1);
    }
}

static void start_transfers(struct capture *capture)
{
    int count = capture->handle_count * depth, length = iso ? size * packets : size;
    capture->all = calloc((size_t)count, sizeof *capture->all);
    for (int i = 0; i < count; i++) {
        struct libusb_transfer *transfer = capture->all[i] = libusb_alloc_transfer(packets);
        libusb_device_handle *handle = capture->handles[i % capture->handle_count];
        unsigned char *buffer = calloc(1, (size_t)length);
        if (iso) {
            libusb_fill_iso_transfer(transfer, handle, ENDPOINT_IN, buffer, length, packets, on_iso, capture, 0);
            libusb_set_iso_packet_lengths(transfer, (unsigned)size);
        } else {
            libusb_fill_bulk_transfer(transfer, handle, ENDPOINT_IN, buffer, length, on_bulk, capture, 0);
        }
        int error = libusb_submit_transfer(transfer);
        if (error)
            fail("libusb_submit_transfer", error);
        capture->in_flight++;
    }
}

static void stop_transfers(struct capture *capture)
{
    capture->stopping = true;
    while (capture->in_flight > 0)
        libusb_handle_events_completed(capture->context, NULL);
    for (int i = 0; i < capture->handle_count * depth; i++) {
        free(capture->all[i]->buffer);
        libusb_free_transfer(capture->all[i]);
    }
    free(capture->all);
}

static void handle_until(struct capture *capture, int64_t count)
{
    while (capture->completed < count) {
        libusb_handle_events_completed(capture->context, NULL);
        if (capture->in_flight == 0) {
            fprintf(stderr, "capture: no transfer is in flight\n");
            exit(1);
        }
    }
}

static void read_until(struct capture *capture, int64_t count)
{
    while (capture->completed < count) {
        int actual;
        if (libusb_bulk_transfer(capture->handles[0], ENDPOINT_IN, capture->buffer, size, &actual, 1000) == 0 && actual > 0) {
            capture->bytes += actual;
            capture->sum += capture->buffer[0];
        } else {
            capture->failed++;
        }
        capture->completed++;
    }
}

static void slice(struct capture *capture)
{
    int64_t processor = now(CLOCK_THREAD_CPUTIME_ID), target = capture->completed + transfers;
    if (sync_calls)
        read_until(capture, target);
    else
        handle_until(capture, target);
    capture->processor = now(CLOCK_THREAD_CPUTIME_ID) - processor;
}

/* the function of the threads of all contexts except the first, which the main thread handles */
static void *run(void *argument)
{
    while (true) {
        pthread_barrier_wait(&slice_begins);
        if (ended)
            return NULL;
        slice(argument);
        pthread_barrier_wait(&slice_ends);
    }
}

static void answer_lines(struct capture *all)
{
    char line[32];
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        transfers = number(line, "a slice", 1, INT64_C(1) << 40);
        pthread_barrier_wait(&slice_begins);
        int64_t start = now(CLOCK_MONOTONIC), whole = now(CLOCK_PROCESS_CPUTIME_ID), threads = 0;
        slice(&all[0]);
        /* taken before the barrier, because waiting for other threads is not part of the measurement */
        whole = now(CLOCK_PROCESS_CPUTIME_ID) - whole;
        pthread_barrier_wait(&slice_ends);
        start = now(CLOCK_MONOTONIC) - start;
        for (int i = 0; i < contexts; i++)
            threads += all[i].processor;
        printf("%" PRId64 " %" PRId64 "\n", contexts == 1 ? whole : threads, start);
        fflush(stdout);
    }
    ended = true;
    pthread_barrier_wait(&slice_begins);
}

static int peak_kib(void)
{
    char line[256];
    int peak = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "VmHWM: %d", &peak) == 1)
            break;
    if (file)
        fclose(file);
    return peak;
}

int main(int argc, char **argv)
{
    static struct capture all[MAX_CONTEXTS];
    if (argc != 8 || strcmp(argv[1], "c")
        || !((iso = !strcmp(argv[2], "iso")) || (sync_calls = !strcmp(argv[2], "sync")) || !strcmp(argv[2], "bulk"))) {
        fprintf(stderr, "usage: capture c bulk|iso|sync SIZE PACKETS DEPTH DEVICES CONTEXTS\n");
        return 2;
    }
    size = (int)number(argv[3], "SIZE", 1, 1 << 20);
    packets = (int)number(argv[4], "PACKETS", 0, 1024);
    depth = (int)number(argv[5], "DEPTH", 1, 1024);
    devices = (int)number(argv[6], "DEVICES", 1, MAX_DEVICES);
    contexts = (int)number(argv[7], "CONTEXTS", 1, MAX_CONTEXTS);

    pthread_barrier_init(&slice_begins, NULL, (unsigned)contexts);
    pthread_barrier_init(&slice_ends, NULL, (unsigned)contexts);
    for (int i = 0; i < contexts; i++) {
        open_devices(&all[i], i, contexts);
        if (sync_calls)
            all[i].buffer = calloc(1, (size_t)size);
        else
            start_transfers(&all[i]);
        if (i > 0)
            pthread_create(&all[i].thread, NULL, run, &all[i]);
    }
    answer_lines(all);
    int64_t completed = 0, failed = 0, bytes = 0, sum = 0;
    for (int i = 0; i < contexts; i++) {
        if (i > 0)
            pthread_join(all[i].thread, NULL);
        if (!sync_calls)
            stop_transfers(&all[i]);
        completed += all[i].completed;
        failed += all[i].failed;
        bytes += all[i].bytes;
        sum += all[i].sum;
    }
    printf("{\"completed\":%" PRId64 ",\"failed\":%" PRId64 ",\"bytes\":%" PRId64 ",\"sum\":%" PRId64 ",\"peakKib\":%d}\n",
           completed, failed, bytes, sum, peak_kib());
    for (int i = 0; i < contexts; i++) {
        for (int h = 0; h < all[i].handle_count; h++) {
            libusb_release_interface(all[i].handles[h], INTERFACE);
            libusb_close(all[i].handles[h]);
        }
        libusb_exit(all[i].context);
        free(all[i].buffer);
    }
    return failed ? 1 : 0;
}
