/* libusb.h includes this header, but uses no declaration of it. */
