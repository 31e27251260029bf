/* This program uses the virtual bus. ProcessTests compiles it.
 *
 *   child claim VID PID             claims interface 0; exits with 0 on success, otherwise with libusb's error code as a positive number
 *   child capture VID PID ALT SIZE PACKETS   writes PACKETS isochronous packets to standard output
 *   child wait VID PID              prints "ready", waits until hotplug reports that the device was unplugged, and exits with 0 */
#include <libusb-1.0/libusb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int left;

static int on_left(libusb_context *context, libusb_device *device, libusb_hotplug_event event, void *user)
{
    (void)context, (void)device, (void)event, (void)user;
    left = 1;
    return 0;
}

static int remaining, active, failed;

static void on_done(struct libusb_transfer *t)
{
    size_t offset = 0;
    for (int i = 0; i < t->num_iso_packets && remaining > 0; i++, remaining--) {
        if (t->status || t->iso_packet_desc[i].status)
            failed = 1;
        fwrite(t->buffer + offset, 1, t->iso_packet_desc[i].actual_length, stdout);
        offset += t->iso_packet_desc[i].length;
    }
    if (remaining <= 0 || failed || libusb_submit_transfer(t))
        active--;
}

int main(int argc, char **argv)
{
    libusb_context *context;
    if (argc < 4 || libusb_init(&context))
        return 99;
    libusb_device_handle *handle = libusb_open_device_with_vid_pid(context, strtol(argv[2], 0, 16), strtol(argv[3], 0, 16));
    if (!handle)
        return 98;
    int result = 97;
    if (!strcmp(argv[1], "claim")) {
        result = -libusb_claim_interface(handle, 0);
    } else if (!strcmp(argv[1], "capture")) {
        enum { PACKETS = 32, TRANSFERS = 4 };
        int size = atoi(argv[5]);
        remaining = atoi(argv[6]);
        if (libusb_claim_interface(handle, 0) || libusb_set_interface_alt_setting(handle, 0, atoi(argv[4])))
            return 96;
        for (int i = 0; i < TRANSFERS; i++) {
            struct libusb_transfer *t = libusb_alloc_transfer(PACKETS);
            libusb_fill_iso_transfer(t, handle, 0x81, malloc((size_t)PACKETS * size), PACKETS * size, PACKETS, on_done, NULL, 0);
            libusb_set_iso_packet_lengths(t, size);
            active += libusb_submit_transfer(t) == 0;
        }
        while (active)
            libusb_handle_events(context);
        result = failed;
    } else if (!strcmp(argv[1], "wait")) {
        libusb_hotplug_register_callback(context, LIBUSB_HOTPLUG_EVENT_DEVICE_LEFT, 0, strtol(argv[2], 0, 16), strtol(argv[3], 0, 16), -1, on_left, NULL, NULL);
        libusb_close(handle); /* so that only the udev event can report it */
        handle = NULL;
        puts("ready");
        fflush(stdout);
        while (!left)
            libusb_handle_events_completed(context, &left);
        result = 0;
    }
    if (handle)
        libusb_close(handle);
    libusb_exit(context);
    return result;
}
