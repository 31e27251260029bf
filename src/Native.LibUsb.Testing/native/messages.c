/* The messages that are sent to the bus. */
#include "preload.h"

static void start_header(uint8_t *h, uint32_t command, uint32_t sequence, const struct node *n, bool in, unsigned endpoint)
{
    memset(h, 0, HEADER_SIZE);
    put32(h, command);
    put32(h + 4, sequence);
    put32(h + 8, n->bus << 16 | n->device);
    put32(h + 12, in);
    put32(h + 16, endpoint);
}

/* Sends an unlink request. The function ignores errors. An error means that the connection to the bus is closed. The receiver itself detects this,
 * and completes every URB. */
void send_unlink(struct node *n, uint32_t unlink_sequence, uint32_t sequence)
{
    uint8_t h[HEADER_SIZE];
    start_header(h, CMD_UNLINK, unlink_sequence, n, false, 0);
    put32(h + 20, sequence);
    struct iovec iov = { h, HEADER_SIZE };
    pthread_mutex_lock(&n->send_lock);
    send_all(n->socket, &iov, 1);
    pthread_mutex_unlock(&n->send_lock);
}

/* caller holds node->lock */
uint32_t private_sequence(struct node *n)
{
    return 0x80000000u | (n->next_private_sequence++ & 0x7fffffffu);
}

/* Returns the time in microframes of 125 us. All processes of the machine share this clock. */
static uint32_t microframe(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)((uint64_t)now.tv_sec * 8000 + (uint64_t)now.tv_nsec / 125000);
}

/* caller holds node->lock */
void build_submit(const struct node *n, const struct pending *p, const uint8_t *setup, unsigned flags, struct submit_message *m)
{
    const struct usbdevfs_urb *u = p->urb;
    uint8_t *h = m->header;
    bool isochronous = p->type == USBDEVFS_URB_TYPE_ISO;
    start_header(h, CMD_SUBMIT, p->sequence, n, p->in, p->endpoint & 15);
    put32(h + 20, isochronous ? flags | URB_HAS_TIME : flags);
    put32(h + 24, (uint32_t)p->length);
    /* USB/IP has no field for the stream number of a bulk URB, and no field for the time at which an isochronous URB is submitted. The library
     * therefore sends the stream number or the time in the start_frame field. USB/IP does not use this field for bulk URBs. All isochronous URBs of
     * libusb start as soon as possible (USBDEVFS_URB_ISO_ASAP), and usbfs ignores the start frame of such URBs. */
    put32(h + 28, isochronous ? microframe() : p->type == USBDEVFS_URB_TYPE_BULK ? u->stream_id : 0);
    put32(h + 32, (uint32_t)p->packets);
    if (setup)
        memcpy(h + 40, setup, 8);
    m->iov[0] = (struct iovec){ h, HEADER_SIZE };
    m->count = 1;
    if (!p->in && p->length > 0)
        m->iov[m->count++] = (struct iovec){ p->data, (size_t)p->length };
    if (p->packets > 0) {
        uint32_t offset = 0;
        for (int i = 0; i < p->packets; i++) {
            uint32_t length = u->iso_frame_desc[i].length;
            uint8_t *iso = m->iso + i * ISO_SIZE;
            put32(iso, offset);
            put32(iso + 4, length);
            put32(iso + 8, 0);
            put32(iso + 12, 0);
            offset += length;
        }
        m->iov[m->count++] = (struct iovec){ m->iso, (size_t)p->packets * ISO_SIZE };
    }
}

/* Sends a request to the bus and waits for its answer. Returns the answer's value (>= 0) or a negative errno. */
int ask_host(struct node *n, enum host_operation operation, uint32_t a, uint32_t b, const void *payload, unsigned length,
                    void *reply, unsigned reply_capacity)
{
    uint8_t h[HEADER_SIZE];
    int status;
    pthread_mutex_lock(&n->host_lock);
    pthread_mutex_lock(&n->lock);
    if (n->gone) {
        pthread_mutex_unlock(&n->lock);
        pthread_mutex_unlock(&n->host_lock);
        return -ENODEV;
    }
    uint32_t sequence = n->host_sequence = private_sequence(n);
    n->host_done = false;
    n->host_reply = reply;
    n->host_reply_capacity = reply_capacity;
    n->host_reply_length = 0;
    pthread_mutex_unlock(&n->lock);

    start_header(h, CMD_HOST, sequence, n, false, 0);
    put32(h + 20, operation);
    put32(h + 24, a);
    put32(h + 28, b);
    put32(h + 32, length);
    struct iovec iov[2] = { { h, HEADER_SIZE }, { (void *)payload, length } };
    pthread_mutex_lock(&n->send_lock);
    send_all(n->socket, iov, length ? 2 : 1);
    pthread_mutex_unlock(&n->send_lock);

    pthread_mutex_lock(&n->lock);
    while (!n->host_done && !n->gone)
        wait_for_change(n);
    status = n->host_done ? n->host_status : -ENODEV;
    n->host_reply = NULL;
    n->host_sequence = 0;
    pthread_mutex_unlock(&n->lock);
    pthread_mutex_unlock(&n->host_lock);
    return status;
}
