/* URBs from their submission until they are reaped. */
#include "preload.h"

/* Submits a URB to the bus. If own is set, the library itself waits for the URB, and the program never reaps the URB. Returns 0 or a negative
 * errno. */
int submit(struct node *n, struct usbdevfs_urb *u, bool own, struct pending **submitted, uint32_t *sequence)
{
    static const unsigned known = USBDEVFS_URB_SHORT_NOT_OK | USBDEVFS_URB_ISO_ASAP | USBDEVFS_URB_BULK_CONTINUATION
        | USBDEVFS_URB_NO_FSBR | USBDEVFS_URB_ZERO_PACKET | USBDEVFS_URB_NO_INTERRUPT;
    const uint8_t *setup = NULL;
    unsigned packets = 0, flags = 0;
    uint8_t *data = u->buffer;
    int64_t length = u->buffer_length;
    uint8_t type = u->type;
    bool in = u->endpoint & 0x80, scattered = false;
    int error;

    if (u->flags & ~known || length < 0 || length >= (int64_t)MAX_TRANSFER || (length > 0 && !u->buffer) || u->signr)
        return -EINVAL;
    if (u->flags & USBDEVFS_URB_BULK_CONTINUATION && type != USBDEVFS_URB_TYPE_BULK)
        return -EINVAL;

    struct endpoint_entry entry = { .kind = KIND_CONTROL };
    if (!(type == USBDEVFS_URB_TYPE_CONTROL && (u->endpoint & 15) == 0)) {
        bool ours;
        entry = claimed_endpoint(n, u->endpoint, &ours);
        if (entry.kind == KIND_NONE)
            return -ENOENT;
        if (!ours && (error = claim(n, entry.interface)) < 0)
            return error;
    }
    switch (type) {
    case USBDEVFS_URB_TYPE_CONTROL:
        if (entry.kind != KIND_CONTROL || length < 8)
            return -EINVAL;
        setup = data;
        unsigned stage = setup[6] | setup[7] << 8;
        if (length - 8 < (int64_t)stage)
            return -EINVAL;
        if ((error = check_recipient(n, setup[0], setup[1], (uint16_t)(setup[4] | setup[5] << 8))) < 0)
            return error;
        in = setup[0] & 0x80 && stage > 0;
        data += 8;
        length = stage;
        break;
    case USBDEVFS_URB_TYPE_BULK:
        if (entry.kind == KIND_INTERRUPT)
            type = USBDEVFS_URB_TYPE_INTERRUPT;
        else if (entry.kind != KIND_BULK)
            return -EINVAL;
        scattered = n->capabilities & USBDEVFS_CAP_BULK_SCATTER_GATHER;
        break;
    case USBDEVFS_URB_TYPE_INTERRUPT:
        if (entry.kind != KIND_INTERRUPT)
            return -EINVAL;
        break;
    case USBDEVFS_URB_TYPE_ISO:
        if (entry.kind != KIND_ISO || u->number_of_packets < 1 || u->number_of_packets > MAX_ISO_PACKETS)
            return -EINVAL;
        packets = (unsigned)u->number_of_packets;
        length = 0;
        for (unsigned i = 0; i < packets; i++) {
            if (u->iso_frame_desc[i].length > MAX_ISO_PACKET_LENGTH)
                return -EINVAL;
            if (u->iso_frame_desc[i].length > get32(entry.interval_bytes))
                return -EMSGSIZE;
            length += u->iso_frame_desc[i].length;
        }
        if (length > 0 && !u->buffer)
            return -EINVAL;
        u->buffer_length = (int)length;
        flags |= u->flags & USBDEVFS_URB_ISO_ASAP ? URB_ISO_ASAP : 0;
        break;
    default:
        return -EINVAL;
    }
    if (in) {
        flags |= URB_DIR_IN;
        flags |= u->flags & USBDEVFS_URB_SHORT_NOT_OK && type != USBDEVFS_URB_TYPE_ISO ? URB_SHORT_NOT_OK : 0;
    } else if (u->flags & USBDEVFS_URB_ZERO_PACKET && type == USBDEVFS_URB_TYPE_BULK) {
        flags |= URB_ZERO_PACKET;
    }

    if (u->flags & USBDEVFS_URB_BULK_CONTINUATION)
        flags |= URB_CONTINUATION;
    if (n->asks && (error = ask_host(n, HOST_ADMIT, setup ? 0 : u->endpoint, (uint32_t)length, NULL, 0, NULL, 0)) < 0)
        return error;

    struct pending costs = { 0 };
    if ((error = take_memory(n, &costs, u->buffer, (size_t)(setup ? length + 8 : length), packets, scattered)) != 0)
        return -error;

    uint32_t endpoint_bit = 1u << ((u->endpoint & 15) | (in ? 16 : 0));
    bool local = n->local & endpoint_bit && !setup; /* completed here, without a message to the bus */
    if (!local)
        pthread_mutex_lock(&n->send_lock);
    pthread_mutex_lock(&n->lock);
    struct pending *p = NULL;
    error = 0;
    if (n->gone)
        error = -ENODEV;
    else if (type == USBDEVFS_URB_TYPE_BULK && u->flags & USBDEVFS_URB_BULK_CONTINUATION && n->disabled_bulk & endpoint_bit)
        error = -EREMOTEIO;
    else if (!(p = new_pending(n)))
        error = -ENOMEM;
    if (error) {
        pthread_mutex_unlock(&n->lock);
        if (!local)
            pthread_mutex_unlock(&n->send_lock);
        return_memory(&costs);
        return error;
    }
    if (type == USBDEVFS_URB_TYPE_BULK && !(u->flags & USBDEVFS_URB_BULK_CONTINUATION))
        n->disabled_bulk &= ~endpoint_bit;
    p->mapping = costs.mapping;
    p->charge = costs.charge;
    p->urb = u;
    p->data = data;
    p->length = (int)length;
    p->packets = (int)packets;
    p->type = type;
    p->endpoint = u->endpoint;
    p->in = in;
    p->own = own;
    p->continuation = u->flags & USBDEVFS_URB_BULK_CONTINUATION;
    into_flight(n, p);
    if (submitted) {
        *submitted = p;
        *sequence = p->sequence;
    }
    if (local) {
        for (unsigned i = 0; i < packets; i++) {
            u->iso_frame_desc[i].actual_length = u->iso_frame_desc[i].length;
            u->iso_frame_desc[i].status = 0;
        }
        p->actual = p->length;
        complete(n, p, 0);
        pthread_mutex_unlock(&n->lock);
    } else {
        struct submit_message message;
        build_submit(n, p, setup, flags, &message);
        pthread_mutex_unlock(&n->lock);
        /* This thread still holds send_lock. If the device is unplugged, the receiver takes send_lock before it completes the URB. The URB's buffer
         * therefore stays valid until send_all has read it. */
        send_all(n->socket, message.iov, message.count);
        pthread_mutex_unlock(&n->send_lock);
    }
    return 0;
}

/* Marks a URB for unlinking. It remains in flight until the bus answers. The caller holds node->lock. */
static bool mark_unlinked(struct node *n, struct pending *p)
{
    if (p->unlinked)
        return false;
    p->unlinked = true;
    p->unlink_sequence = private_sequence(n);
    return true;
}

/* As in the kernel, the function returns when the URB has been completed and can be reaped. */
int discard(struct node *n, const void *urb)
{
    pthread_mutex_lock(&n->lock);
    struct pending *p = n->flying;
    while (p && (p->urb != urb || p->own))
        p = p->next;
    if (!p) {
        pthread_mutex_unlock(&n->lock);
        return -EINVAL;
    }
    uint32_t sequence = p->sequence;
    if (mark_unlinked(n, p)) {
        uint32_t unlink_sequence = p->unlink_sequence;
        pthread_mutex_unlock(&n->lock);
        send_unlink(n, unlink_sequence, sequence);
        pthread_mutex_lock(&n->lock);
    }
    while (p->sequence == sequence && p->in_flight)
        wait_for_change(n);
    pthread_mutex_unlock(&n->lock);
    return 0;
}

int reap(struct node *n, void **result, bool wait)
{
    pthread_mutex_lock(&n->lock);
    while (wait && !n->done && !n->gone && !n->closing)
        wait_for_change(n);
    struct pending *p = n->done;
    if (!p) {
        int error = n->gone ? -ENODEV : wait ? -EINTR : -EAGAIN;
        pthread_mutex_unlock(&n->lock);
        return error;
    }
    n->done = p->next;
    if (!n->done) {
        n->done_tail = NULL;
        nothing_to_reap(n);
    }
    struct usbdevfs_urb *u = p->urb;
    u->status = p->status;
    u->actual_length = p->actual;
    u->error_count = p->error_count;
    if (p->packets > 0)
        u->start_frame = p->start_frame;
    return_memory(p);
    free_pending(n, p);
    pthread_mutex_unlock(&n->lock);
    *result = u;
    return 0;
}

/* Performs a synchronous ioctl: submits a URB, waits for it, and unlinks it after the timeout. */
int transfer(struct node *n, struct usbdevfs_urb *u, unsigned timeout_ms)
{
    struct pending *p;
    uint32_t sequence;
    int error = submit(n, u, true, &p, &sequence);
    if (error < 0)
        return error;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&n->lock);
    bool late = false;
    while (!p->done) {
        n->waiters++;
        int waited = timeout_ms && !late ? pthread_cond_timedwait(&n->changed, &n->lock, &until)
                                         : pthread_cond_wait(&n->changed, &n->lock);
        n->waiters--;
        if (waited == ETIMEDOUT && !p->done) {
            late = true;
            if (mark_unlinked(n, p)) {
                uint32_t unlink_sequence = p->unlink_sequence;
                pthread_mutex_unlock(&n->lock);
                send_unlink(n, unlink_sequence, sequence);
                pthread_mutex_lock(&n->lock);
            }
        }
    }
    int result = p->status < 0 ? (late ? -ETIMEDOUT : p->status) : p->actual;
    return_memory(p);
    free_pending(n, p);
    pthread_mutex_unlock(&n->lock);
    return result;
}
