/* This program prints the same list of devices as List.cs, and is written in the usual style of C. The benchmark compares the results of List.cs with the
   results of this program. */
#include <libusb-1.0/libusb.h>
#include <stdio.h>

int main(void)
{
    libusb_context *context;
    int result = libusb_init(&context);
    if (result != 0) {
        fprintf(stderr, "list: libusb_init: %s\n", libusb_error_name(result));
        return 1;
    }
    libusb_device **devices;
    ssize_t count = libusb_get_device_list(context, &devices);
    if (count < 0) {
        fprintf(stderr, "list: libusb_get_device_list: %s\n", libusb_error_name((int)count));
        libusb_exit(context);
        return 1;
    }
    for (ssize_t i = 0; i < count; i++) {
        struct libusb_device_descriptor descriptor;
        libusb_get_device_descriptor(devices[i], &descriptor);
        printf("Bus %03d Device %03d: ID %04x:%04x\n", libusb_get_bus_number(devices[i]), libusb_get_device_address(devices[i]),
               descriptor.idVendor, descriptor.idProduct);
    }
    libusb_free_device_list(devices, 1);
    libusb_exit(context);
    return 0;
}
