/* The ioctl requests of usbfs. */
#include "preload.h"

static int control(struct node *n, struct usbdevfs_ctrltransfer *c)
{
    if (c->wLength > 4096)
        return -EINVAL;
    uint8_t *buffer = malloc(8u + c->wLength);
    if (!buffer)
        return -ENOMEM;
    memcpy(buffer, (uint8_t[]){ c->bRequestType, c->bRequest, c->wValue & 255, c->wValue >> 8, c->wIndex & 255, c->wIndex >> 8,
                                c->wLength & 255, c->wLength >> 8 }, 8);
    if (!(c->bRequestType & 0x80) && c->wLength)
        memcpy(buffer + 8, c->data, c->wLength);
    struct usbdevfs_urb u = { .type = USBDEVFS_URB_TYPE_CONTROL, .buffer = buffer, .buffer_length = 8 + c->wLength };
    int result = transfer(n, &u, c->timeout);
    if (result > 0 && c->bRequestType & 0x80)
        memcpy(c->data, buffer + 8, (size_t)result);
    free(buffer);
    return result;
}

static int bulk(struct node *n, const struct usbdevfs_bulktransfer *b)
{
    if (b->len >= MAX_TRANSFER)
        return -EINVAL;
    struct usbdevfs_urb u = { .type = USBDEVFS_URB_TYPE_BULK, .endpoint = (unsigned char)b->ep, .buffer = b->data, .buffer_length = (int)b->len };
    return transfer(n, &u, b->timeout);
}

static int driver_ioctl(struct node *n, const struct usbdevfs_ioctl *c)
{
    switch ((unsigned)c->ioctl_code) {
    case USBDEVFS_DISCONNECT:
        return ask_host(n, HOST_DISCONNECT_DRIVER, (uint32_t)c->ifno, 0, NULL, 0, NULL, 0);
    case USBDEVFS_CONNECT:
        return ask_host(n, HOST_CONNECT_DRIVER, (uint32_t)c->ifno, 0, NULL, 0, NULL, 0);
    default:
        return -ENOTTY; /* the kernel drivers of the bus have no ioctls */
    }
}

static int streams(struct node *n, enum host_operation operation, const struct usbdevfs_streams *s)
{
    if (s->num_eps < 1 || s->num_eps > 30)
        return -EINVAL;
    for (unsigned i = 0; i < s->num_eps; i++) {
        struct endpoint_entry entry = endpoint_of(n, s->eps[i]);
        if (entry.kind == KIND_NONE)
            return -ENOENT;
        int error = claim(n, entry.interface);
        if (error < 0)
            return error;
    }
    return ask_host(n, operation, operation == HOST_ALLOC_STREAMS ? s->num_streams : 0, 0, s->eps, s->num_eps, NULL, 0);
}

static int clear_halt(struct node *n, unsigned address, bool in_device)
{
    struct endpoint_entry entry = endpoint_of(n, address);
    if (entry.kind == KIND_NONE)
        return -ENOENT;
    int status = claim(n, entry.interface);
    return status < 0 || !in_device ? status : ask_host(n, HOST_CLEAR_HALT, address, 0, NULL, 0, NULL, 0);
}

int answer(struct node *n, unsigned long request, void *argument)
{
    int status;
    switch (request) { /* these requests also work after an unplug */
    case USBDEVFS_REAPURB:
        return reap(n, argument, true);
    case USBDEVFS_REAPURBNDELAY:
        return reap(n, argument, false);
    }
    pthread_mutex_lock(&n->lock);
    bool gone = n->gone;
    pthread_mutex_unlock(&n->lock);
    if (request == USBDEVFS_DISCARDURB && gone)
        return -EINVAL; /* no URB is in flight */
    if (gone)
        return -ENODEV;
    if (!n->writable && request != USBDEVFS_GET_CAPABILITIES && request != USBDEVFS_GET_SPEED && request != USBDEVFS_CONNECTINFO)
        return -EPERM;

    switch (request) {
    case USBDEVFS_SUBMITURB:
        return submit(n, argument, false, NULL, NULL);
    case USBDEVFS_DISCARDURB:
        return discard(n, argument);
    case USBDEVFS_CONTROL:
        return control(n, argument);
    case USBDEVFS_BULK:
        return bulk(n, argument);
    case USBDEVFS_CLAIMINTERFACE:
        return claim(n, *(unsigned *)argument);
    case USBDEVFS_RELEASEINTERFACE:
        return release(n, *(unsigned *)argument);
    case USBDEVFS_SETINTERFACE: {
        const struct usbdevfs_setinterface *s = argument;
        if ((status = claim(n, s->interface)) < 0)
            return status;
        return ask_host(n, HOST_SET_INTERFACE, s->interface, s->altsetting, NULL, 0, NULL, 0);
    }
    case USBDEVFS_SETCONFIGURATION:
        return ask_host(n, HOST_SET_CONFIGURATION, *(unsigned *)argument, 0, NULL, 0, NULL, 0);
    case USBDEVFS_CLEAR_HALT:
        return clear_halt(n, *(unsigned *)argument, true);
    case USBDEVFS_RESETEP: /* in the kernel, this request resets only the host's data toggle; the bus has none */
        return clear_halt(n, *(unsigned *)argument, false);
    case USBDEVFS_RESET:
        return ask_host(n, HOST_RESET, 0, 0, NULL, 0, NULL, 0);
    case USBDEVFS_GETDRIVER: {
        struct usbdevfs_getdriver *d = argument;
        memset(d->driver, 0, sizeof d->driver);
        status = ask_host(n, HOST_GET_DRIVER, d->interface, 0, NULL, 0, d->driver, sizeof d->driver - 1);
        return status;
    }
    case USBDEVFS_IOCTL:
        return driver_ioctl(n, argument);
    case USBDEVFS_DISCONNECT_CLAIM:
        return disconnect_claim(n, argument);
    case USBDEVFS_ALLOC_STREAMS:
        return streams(n, HOST_ALLOC_STREAMS, argument);
    case USBDEVFS_FREE_STREAMS:
        return streams(n, HOST_FREE_STREAMS, argument);
    case USBDEVFS_GET_CAPABILITIES:
        *(uint32_t *)argument = n->capabilities;
        return 0;
    case USBDEVFS_GET_SPEED:
        return (int)n->speed;
    case USBDEVFS_CONNECTINFO: {
        struct usbdevfs_connectinfo *c = argument;
        memset(c, 0, sizeof *c);
        c->devnum = n->device;
        c->slow = n->speed == 1;
        return 0;
    }
    }
    if (_IOC_TYPE(request) == 'U' && _IOC_NR(request) == 32) { /* USBDEVFS_CONNINFO_EX; its number contains the size of the caller's structure */
        struct usbdevfs_conninfo_ex c = { .size = sizeof c, .busnum = n->bus, .devnum = n->device, .speed = n->speed, .num_ports = n->port_count };
        memcpy(c.ports, n->ports, sizeof c.ports);
        size_t size = _IOC_SIZE(request);
        memcpy(argument, &c, size < sizeof c ? size : sizeof c);
        return 0;
    }
    return -ENOTTY;
}
