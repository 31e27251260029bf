/* libusb.h uses only pointers to struct timeval. The C# struct timeval is not generated, so the layout is not needed here. */
struct timeval;
