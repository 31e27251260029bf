/* Implements the signal handler of SignalStorm. The handler makes the interrupted thread sleep at an arbitrary point while other threads continue. */
#include "preload.h"

static uint32_t longest;
static uint32_t state = 1;
static uint64_t handled; /* the number of completed handler calls */

EXPORT void native_libusb_usbfs_set_delay(uint32_t nanoseconds);
EXPORT void native_libusb_usbfs_set_delay(uint32_t nanoseconds)
{
    __atomic_store_n(&longest, nanoseconds, __ATOMIC_RELAXED);
}

EXPORT const uint64_t *native_libusb_usbfs_delays(void);
EXPORT const uint64_t *native_libusb_usbfs_delays(void)
{
    return &handled;
}

/* This signal handler calls only functions that are safe in a signal handler, and preserves errno for the interrupted code. */
EXPORT void native_libusb_usbfs_delay(int signal);
EXPORT void native_libusb_usbfs_delay(int signal)
{
    (void)signal;
    int error = errno;
    uint32_t random = __atomic_load_n(&state, __ATOMIC_RELAXED) * 1664525u + 1013904223u;
    __atomic_store_n(&state, random, __ATOMIC_RELAXED);
    struct timespec pause = { 0, (long)((uint64_t)random * __atomic_load_n(&longest, __ATOMIC_RELAXED) >> 32) };
    nanosleep(&pause, NULL);
    errno = error;
    __atomic_fetch_add(&handled, 1, __ATOMIC_RELEASE);
}
