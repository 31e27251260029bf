/* Implements the thread that receives the messages of the bus. Only this thread completes URBs and writes into their buffers. */
#include "preload.h"

static bool received_submit(struct node *n, const uint8_t *h)
{
    int status = (int)get32(h + 20), actual = (int)get32(h + 24), packets = (int)get32(h + 32);
    pthread_mutex_lock(&n->lock);
    struct pending *p = find_in_flight(n, get32(h + 4));
    pthread_mutex_unlock(&n->lock);
    /* p stays valid without the lock: only this thread takes a URB out of flight */
    if (!p || actual < 0 || actual > p->length || packets < 0 || packets != p->packets)
        return false;
    if (p->in && actual > 0 && !take(n, p->data, (size_t)actual))
        return false;
    if (packets > 0) {
        uint8_t iso[MAX_ISO_PACKETS * ISO_SIZE];
        if (!take(n, iso, (size_t)packets * ISO_SIZE))
            return false;
        struct usbdevfs_iso_packet_desc *d = p->urb->iso_frame_desc;
        int64_t sum = 0, wanted = 0;
        for (int i = 0; i < packets; i++) {
            d[i].actual_length = get32(iso + i * ISO_SIZE + 8);
            d[i].status = get32(iso + i * ISO_SIZE + 12);
            if (d[i].actual_length > d[i].length)
                return false;
            sum += d[i].actual_length;
            wanted += d[i].length;
        }
        /* The packets arrive one directly after another. In the caller's buffer, however, the offset of a packet is the sum of the requested lengths of
         * all preceding packets. The loop moves the last packet first, so that no packet overwrites a packet that has not been moved yet. */
        if (p->in) {
            if (sum != actual)
                return false;
            int64_t from = sum, to = wanted;
            for (int i = packets - 1; i > 0 && from != to; i--) {
                from -= d[i].actual_length;
                to -= d[i].length;
                if (from != to && d[i].actual_length > 0)
                    memmove(p->data + to, p->data + from, d[i].actual_length);
            }
        }
    }
    pthread_mutex_lock(&n->lock);
    bool cancelled = true;
    p->actual = actual;
    p->start_frame = (int)get32(h + 28);
    p->error_count = (int)get32(h + 36);
    /* If a URB of a split bulk transfer fails, the transfer's later URBs are unlinked, and no further URB of this transfer may be submitted. */
    if (status < 0 && !p->unlinked && p->type == USBDEVFS_URB_TYPE_BULK && status != -ECONNRESET && status != -ENOENT) {
        bool next_transfer = false;
        for (struct pending *q = p->next; q; q = q->next) {
            if (q->endpoint != p->endpoint || q->type != USBDEVFS_URB_TYPE_BULK || q->own)
                continue;
            if (!q->continuation) {
                next_transfer = true;
                break;
            }
            cancelled = cancel_later(n, q) && cancelled;
        }
        if (!next_transfer)
            n->disabled_bulk |= 1u << ((p->endpoint & 15) | (p->in ? 16 : 0));
    }
    complete(n, p, status);
    pthread_mutex_unlock(&n->lock);
    return cancelled;
}

static void received_unlink(struct node *n, const uint8_t *h)
{
    uint32_t sequence = get32(h + 4);
    int status = (int)get32(h + 20);
    if (status == 0)
        return; /* the URB was completed before the unlink request arrived */
    pthread_mutex_lock(&n->lock);
    for (struct pending *p = n->flying; p; p = p->next)
        if (p->unlinked && p->unlink_sequence == sequence) {
            complete(n, p, -ENOENT);
            break;
        }
    pthread_mutex_unlock(&n->lock);
}

static bool received_host(struct node *n, const uint8_t *h)
{
    uint8_t endpoints[ENDPOINT_TABLE_SIZE], skipped[256];
    uint32_t length = get32(h + 24);
    if (!take(n, endpoints, sizeof endpoints))
        return false;
    pthread_mutex_lock(&n->lock);
    bool expected = n->host_sequence == get32(h + 4) && !n->host_done;
    uint8_t *reply = expected ? n->host_reply : NULL;
    unsigned capacity = expected ? n->host_reply_capacity : 0;
    pthread_mutex_unlock(&n->lock);
    /* the requesting thread waits for host_done, so its buffer is still valid */
    unsigned part = length < capacity ? length : capacity;
    if (part > 0 && !take(n, reply, part))
        return false;
    for (uint32_t rest = length - part; rest > 0;) {
        uint32_t piece = rest < sizeof skipped ? rest : (uint32_t)sizeof skipped;
        if (!take(n, skipped, piece))
            return false;
        rest -= piece;
    }
    pthread_mutex_lock(&n->lock);
    memcpy(n->endpoints, endpoints, sizeof endpoints);
    if (expected) {
        n->host_status = (int)get32(h + 20);
        n->host_reply_length = part;
        n->host_done = true;
        announce(n);
    }
    pthread_mutex_unlock(&n->lock);
    return true;
}

/* Handles an unplug or the end of the bus: completes every URB. From now on, the node reports POLLERR. */
static void disconnect(struct node *n)
{
    syscall(SYS_shutdown, n->socket, SHUT_RDWR); /* a sender that waits for room returns with an error */
    pthread_mutex_lock(&n->send_lock);
    pthread_mutex_lock(&n->lock);
    n->gone = true;
    while (n->flying)
        complete(n, n->flying, -ESHUTDOWN);
    int reader = n->pipe_read;
    n->pipe_read = -1;
    close_own(reader);
    announce(n);
    pthread_cond_signal(&n->cancelling);
    pthread_mutex_unlock(&n->lock);
    pthread_mutex_unlock(&n->send_lock);
}

void *receive(void *argument)
{
    struct node *n = argument;
    uint8_t h[HEADER_SIZE];
    bool open = true;
    while (open && take(n, h, sizeof h))
        switch (get32(h)) {
        case RET_SUBMIT:
            open = received_submit(n, h);
            break;
        case RET_UNLINK:
            received_unlink(n, h);
            break;
        case RET_HOST:
            open = received_host(n, h);
            break;
        default:
            open = false;
            break;
        }
    disconnect(n);
    return NULL;
}
