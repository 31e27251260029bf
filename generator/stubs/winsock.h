/* Before version 1.0.29, libusb.h includes this header, but uses no declaration of it. */
