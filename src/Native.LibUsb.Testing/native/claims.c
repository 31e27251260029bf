/* The owners of interfaces and endpoints. */
#include "preload.h"

struct endpoint_entry claimed_endpoint(struct node *n, unsigned address, bool *ours)
{
    struct endpoint_entry entry;
    pthread_mutex_lock(&n->lock);
    entry = n->endpoints[(address & 15) | (address & 0x80 ? 16 : 0)];
    *ours = entry.interface < MAX_INTERFACES && n->claimed & 1u << entry.interface;
    pthread_mutex_unlock(&n->lock);
    return entry;
}

struct endpoint_entry endpoint_of(struct node *n, unsigned address)
{
    bool ours;
    return claimed_endpoint(n, address, &ours);
}

int claim(struct node *n, unsigned interface)
{
    if (interface >= MAX_INTERFACES)
        return -EINVAL;
    pthread_mutex_lock(&n->lock);
    bool ours = n->claimed & 1u << interface;
    pthread_mutex_unlock(&n->lock);
    if (ours)
        return 0;
    int status = ask_host(n, HOST_CLAIM, interface, 0, NULL, 0, NULL, 0);
    if (status >= 0) {
        pthread_mutex_lock(&n->lock);
        n->claimed |= 1u << interface;
        pthread_mutex_unlock(&n->lock);
    }
    return status < 0 ? status : 0;
}

int release(struct node *n, unsigned interface)
{
    if (interface >= MAX_INTERFACES)
        return -EINVAL;
    pthread_mutex_lock(&n->lock);
    bool ours = n->claimed & 1u << interface;
    n->claimed &= ~(1u << interface);
    pthread_mutex_unlock(&n->lock);
    if (!ours)
        return -EINVAL;
    int status = ask_host(n, HOST_RELEASE, interface, 0, NULL, 0, NULL, 0);
    return status < 0 ? status : 0;
}


int disconnect_claim(struct node *n, const struct usbdevfs_disconnect_claim *c)
{
    if (c->interface >= MAX_INTERFACES)
        return -EINVAL;
    int status = ask_host(n, HOST_DISCONNECT_CLAIM, c->interface, c->flags, c->driver,
                          (unsigned)strnlen(c->driver, sizeof c->driver), NULL, 0);
    if (status >= 0) {
        pthread_mutex_lock(&n->lock);
        n->claimed |= 1u << c->interface;
        pthread_mutex_unlock(&n->lock);
    }
    return status < 0 ? status : 0;
}

/* As in the kernel, only the program that has claimed an interface may send control requests to the interface or its endpoints. If no program has
 * claimed the interface, the function claims it for the calling program. */
int check_recipient(struct node *n, uint8_t request_type, uint8_t request, uint16_t index)
{
    if ((request_type & 0x60) == 0x40) /* vendor requests are not checked */
        return 0;
    if (request_type == 0xa1 && request == 0) /* GET_DEVICE_ID, a class request of printers: its index is not an interface number */
        return 0;
    switch (request_type & 0x1f) {
    case 1:
        return claim(n, index & 0xff);
    case 2: {
        unsigned address = index & 0xff;
        if ((address & 15) == 0)
            return 0;
        struct endpoint_entry entry = endpoint_of(n, address);
        if (entry.kind == KIND_NONE)
            entry = endpoint_of(n, address ^ 0x80);
        return entry.kind == KIND_NONE ? -ENOENT : claim(n, entry.interface);
    }
    default:
        return 0;
    }
}
