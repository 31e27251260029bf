/* usbfs for one process, answered by a virtual bus.
 *
 * This library is loaded with LD_PRELOAD. It answers the system calls that libusb makes on a usbfs device node
 * (/dev/bus/usb/BBB/DDD) and passes everything else on. It knows nothing about devices: every open node is one connection
 * to the virtual bus (the UNIX socket "usbip" in $UMOCKDEV_DIR), and on it each URB becomes a USB/IP submit message. What the
 * kernel decides on the host's side and USB/IP has no message for (claims, kernel drivers, streams) is asked from the bus
 * with a small message of our own on the same connection, so that the rules are written once, in C#.
 *
 * The device node that libusb polls is the write end of a pipe that has room for one byte:
 *   one byte in it          = not writable = nothing to reap, poll(POLLOUT) blocks
 *   empty                   = writable     = a URB is done, poll wakes
 *   read end closed         = POLLERR      = unplugged, just as the kernel reports it
 *
 * Threads: each open node has one receiver thread. It alone completes URBs and writes into their buffers.
 * Locks, always taken in this order and never held while waiting for the bus:
 *   node->host_lock   one host message at a time
 *   node->send_lock   one message on the socket at a time
 *   node->lock        the state of the node (in flight, done, pipe)
 *   memory_lock       the mappings of the process
 *   table_lock        which file descriptor is which node
 * The receiver takes only node->lock, so a full socket never stops it, and the bus can always be drained.
 *
 * The library's own I/O uses syscall(): libc's read, write, recv and send are intercepted by umockdev's preload as well.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/usbdevice_fs.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

/* ---- the protocol ------------------------------------------------------------------------------------------------------- */

enum {
    USBIP_VERSION = 0x0111,
    OP_REQUEST_IMPORT = 0x8003,
    BUS_ID_SIZE = 32,
    IMPORT_DEVICE_SIZE = 312, /* struct usbip_usb_device on the wire */
    HEADER_SIZE = 48,
    ISO_SIZE = 16,

    CMD_SUBMIT = 1,
    CMD_UNLINK = 2,
    RET_SUBMIT = 3,
    RET_UNLINK = 4,
    CMD_HOST = 0x8001, /* ours: see HostOperation in the C# server */
    RET_HOST = 0x8003,

    URB_SHORT_NOT_OK = 0x01,
    URB_ISO_ASAP = 0x02,
    URB_ZERO_PACKET = 0x40,
    URB_DIR_IN = 0x200,
    URB_CONTINUATION = 0x40000000, /* ours: a piece of the same transfer as the one before it */
};

enum host_operation {
    HOST_CLAIM = 1,
    HOST_RELEASE = 2,
    HOST_SET_INTERFACE = 3,
    HOST_SET_CONFIGURATION = 4,
    HOST_CLEAR_HALT = 5,
    HOST_RESET = 6,
    HOST_GET_DRIVER = 7,
    HOST_DISCONNECT_DRIVER = 8,
    HOST_CONNECT_DRIVER = 9,
    HOST_DISCONNECT_CLAIM = 10,
    HOST_ALLOC_STREAMS = 11,
    HOST_FREE_STREAMS = 12,
    HOST_CLOSE = 13,
    HOST_ADMIT = 14,
};

/* What the bus says about the 32 endpoint addresses in the settings that are active now: six bytes each. */
struct endpoint_entry {
    uint8_t kind; /* 0 = no such endpoint, else 1 + the transfer type of the descriptor */
    uint8_t interface;
    uint8_t interval_bytes[4]; /* the most that it moves in a service interval */
};
enum { KIND_NONE = 0, KIND_CONTROL = 1, KIND_ISO = 2, KIND_BULK = 3, KIND_INTERRUPT = 4 };
enum { ENDPOINT_TABLE_SIZE = 32 * sizeof(struct endpoint_entry) };

/* limits of the kernel's usbfs */
enum {
    MAX_ISO_PACKETS = 128,
    MAX_ISO_PACKET_LENGTH = 98304,
    MAX_CONTIGUOUS = 4 << 20, /* a buffer without scatter-gather is one kmalloc, and so is device memory */
    URB_OVERHEAD = 384,       /* what the kernel counts for a URB besides its buffer, about */
    MAPPING_OVERHEAD = 64,    /* and for device memory */
    MAX_INTERFACES = 32,
};
#define MAX_TRANSFER (UINT_MAX / 2 - 1000000)

/* ---- state -------------------------------------------------------------------------------------------------------------- */

enum { MAX_DESCRIPTOR = 65536, MAX_SLOTS = 65536, STAGING_SIZE = 65536 };

struct node;

/* memory mapped from a node (libusb_dev_mem_alloc) */
struct mapping {
    struct mapping *next;
    uint64_t serial; /* of the node: it may be closed before the memory is unmapped */
    uint8_t *start;
    size_t size;
    unsigned users; /* URBs in flight or not yet reaped in it */
    bool unmapped;  /* munmap was called while URBs used it: the last of them unmaps it */
};

/* one submitted URB; recycled when reaped, freed when the node closes */
struct pending {
    struct pending *previous, *next; /* in the in-flight list (doubly linked) or the done list (next only) */
    struct usbdevfs_urb *urb;
    uint8_t *data; /* where the data stage starts in the caller's buffer */
    struct mapping *mapping;
    uint64_t charge;
    uint32_t sequence; /* 0 when free */
    uint32_t unlink_sequence;
    int length, packets, status, actual, start_frame, error_count;
    uint16_t slot;
    uint16_t generation;
    uint8_t type, endpoint;
    bool in, in_flight, unlinked, continuation, own, done;
};

struct node {
    pthread_mutex_t lock, send_lock, host_lock;
    pthread_cond_t changed;
    unsigned waiters; /* threads in pthread_cond_wait on changed */
    unsigned users;   /* calls in progress on this node; close waits for them */
    struct node *next_free;
    uint64_t serial;  /* of this open */

    int fd;          /* write end of the pipe: what libusb holds */
    int pipe_read;   /* -1 once unplugged */
    int socket;
    pthread_t receiver;
    bool gone, closing, writable, closed;
    bool asks; /* the bus decides whether a URB may be submitted */

    struct pending *flying;           /* in order of submission */
    struct pending *flying_tail;
    struct pending *done, *done_tail; /* in order of completion */
    struct pending *free_list;
    struct pending **slots;
    unsigned slot_count, slot_capacity;
    uint32_t next_private_sequence;
    uint32_t disabled_bulk; /* bit per endpoint: a continuation chain that failed */

    /* the host message being answered */
    uint32_t host_sequence;
    bool host_done;
    int host_status;
    uint8_t *host_reply;
    unsigned host_reply_capacity, host_reply_length;

    uint32_t claimed; /* interfaces claimed through this node */
    uint32_t local;   /* bit per endpoint that this library completes itself */
    struct endpoint_entry endpoints[32];

    uint32_t capabilities, bus, device, speed;
    uint8_t port_count, ports[7];
    uint8_t *descriptors;
    unsigned descriptors_length;
    off_t position;

    uint8_t *staging;
    size_t staged, staged_end;
};

static _Atomic(struct node *) table[MAX_DESCRIPTOR];
static struct node *free_nodes; /* node memory is never returned to libc: a late caller finds a closed node, not freed memory */
static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;

static pthread_mutex_t memory_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic uint64_t memory_used, memory_limit; /* no lock is needed to charge or give back what lies in no mapping */
static struct mapping *mappings;
static atomic_uint mapping_count;

static int (*next_open)(const char *, int, ...);
static int (*next_openat)(int, const char *, int, ...);
static int (*next_open_2)(const char *, int);
static int (*next_openat_2)(int, const char *, int);
static int (*next_close)(int);
static int (*next_ioctl)(int, unsigned long, ...);
static ssize_t (*next_read)(int, void *, size_t);
static ssize_t (*next_pread)(int, void *, size_t, off_t);
static ssize_t (*next_readlink)(const char *, char *, size_t);
static off_t (*next_lseek)(int, off_t, int);
static void *(*next_mmap)(void *, size_t, int, int, int, off_t);
static int (*next_munmap)(void *, size_t);

static void in_forked_child(void);

/* Other libraries' constructors may call us before ours has run, so each entry point makes sure. */
static pthread_once_t resolved = PTHREAD_ONCE_INIT;

static void resolve(void)
{
    next_open = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open64");
    next_openat = (int (*)(int, const char *, int, ...))dlsym(RTLD_NEXT, "openat64");
    next_open_2 = (int (*)(const char *, int))dlsym(RTLD_NEXT, "__open64_2");
    next_openat_2 = (int (*)(int, const char *, int))dlsym(RTLD_NEXT, "__openat64_2");
    next_close = (int (*)(int))dlsym(RTLD_NEXT, "close");
    next_ioctl = (int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl");
    next_read = (ssize_t(*)(int, void *, size_t))dlsym(RTLD_NEXT, "read");
    next_pread = (ssize_t(*)(int, void *, size_t, off_t))dlsym(RTLD_NEXT, "pread64");
    next_readlink = (ssize_t(*)(const char *, char *, size_t))dlsym(RTLD_NEXT, "readlink");
    next_lseek = (off_t(*)(int, off_t, int))dlsym(RTLD_NEXT, "lseek64");
    next_mmap = (void *(*)(void *, size_t, int, int, int, off_t))dlsym(RTLD_NEXT, "mmap64");
    next_munmap = (int (*)(void *, size_t))dlsym(RTLD_NEXT, "munmap");
    pthread_atfork(NULL, NULL, in_forked_child);
}

static void ready(void) { pthread_once(&resolved, resolve); }

__attribute__((constructor)) static void start(void) { ready(); }

static int fail(int error)
{
    errno = error;
    return -1;
}

static uint32_t get32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return be32toh(v);
}

static void put32(uint8_t *p, uint32_t v)
{
    v = htobe32(v);
    memcpy(p, &v, 4);
}

/* ---- the library's own input and output ------------------------------------------------------------------------------------ */

static void close_own(int fd)
{
    if (fd >= 0)
        syscall(SYS_close, fd);
}

static bool send_all(int fd, struct iovec *iov, int count)
{
    while (count > 0) {
        struct msghdr message = { .msg_iov = iov, .msg_iovlen = (size_t)count };
        ssize_t sent = syscall(SYS_sendmsg, fd, &message, MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno == EINTR)
                continue;
            return false;
        }
        while (count > 0 && (size_t)sent >= iov->iov_len) {
            sent -= (ssize_t)iov->iov_len;
            iov++;
            count--;
        }
        if (count > 0) {
            iov->iov_base = (uint8_t *)iov->iov_base + sent;
            iov->iov_len -= (size_t)sent;
        }
    }
    return true;
}

/* Exactly length bytes, before the receiver thread exists. */
static bool receive_exact(int fd, void *buffer, size_t length)
{
    uint8_t *p = buffer;
    while (length > 0) {
        ssize_t got = syscall(SYS_recvfrom, fd, p, length, 0, NULL, NULL);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        p += got;
        length -= (size_t)got;
    }
    return true;
}

/* Exactly length bytes, on the receiver thread. What is large goes straight to its place; the bytes that follow it land in the
 * staging buffer in the same call, so that small messages cost less than one call each. */
static bool take(struct node *n, void *buffer, size_t length)
{
    uint8_t *p = buffer;
    size_t staged = n->staged_end - n->staged;
    if (staged > 0) {
        size_t part = staged < length ? staged : length;
        memcpy(p, n->staging + n->staged, part);
        n->staged += part;
        p += part;
        length -= part;
    }
    while (length > 0) {
        struct iovec iov[2] = { { p, length }, { n->staging, STAGING_SIZE } };
        struct msghdr message = { .msg_iov = iov, .msg_iovlen = 2 };
        ssize_t got = syscall(SYS_recvmsg, n->socket, &message, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        if ((size_t)got >= length) {
            n->staged = 0;
            n->staged_end = (size_t)got - length;
            return true;
        }
        p += got;
        length -= (size_t)got;
    }
    return true;
}

/* ---- the pipe: caller holds node->lock ------------------------------------------------------------------------------------- */

static void nothing_to_reap(struct node *n)
{
    if (n->pipe_read >= 0) /* without a reader the write would raise SIGPIPE, and an unplugged node stays readable for ever */
        (void)!syscall(SYS_write, n->fd, "", (size_t)1);
}

static void something_to_reap(struct node *n)
{
    char byte;
    if (n->pipe_read >= 0)
        (void)!syscall(SYS_read, n->pipe_read, &byte, (size_t)1);
}

static void wait_for_change(struct node *n)
{
    n->waiters++;
    pthread_cond_wait(&n->changed, &n->lock);
    n->waiters--;
}

static void announce(struct node *n)
{
    if (n->waiters > 0)
        pthread_cond_broadcast(&n->changed);
}

/* ---- the memory budget of usbfs ---------------------------------------------------------------------------------------------- */

/* The limit lives in the (virtual) sysfs, in MiB; 0 means none. Read again whenever it seems to be exceeded, as a program may
 * raise it at any time. */
static void read_memory_limit(void)
{
    char path[PATH_MAX], text[32];
    const char *root = getenv("UMOCKDEV_DIR");
    uint64_t limit = 16;
    if (root && (size_t)snprintf(path, sizeof path, "%s/sys/module/usbcore/parameters/usbfs_memory_mb", root) < sizeof path) {
        int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0) {
            ssize_t length = syscall(SYS_read, fd, text, sizeof text - 1);
            if (length > 0) {
                text[length] = 0;
                limit = strtoull(text, NULL, 10);
            }
            close_own(fd);
        }
    }
    memory_limit = limit << 20;
}

/* Counts memory against the limit of usbfs: false when it would be exceeded. */
static bool charge(uint64_t amount)
{
    uint64_t used = atomic_load(&memory_used);
    do {
        uint64_t limit = atomic_load(&memory_limit);
        if (limit != 0 && used + amount > limit) {
            read_memory_limit();
            limit = atomic_load(&memory_limit);
            if (limit != 0 && used + amount > limit)
                return false;
        }
    } while (!atomic_compare_exchange_weak(&memory_used, &used, used + amount));
    return true;
}

/* caller holds memory_lock */
static void drop_mapping(struct mapping *m)
{
    for (struct mapping **p = &mappings; *p; p = &(*p)->next)
        if (*p == m) {
            *p = m->next;
            break;
        }
    memory_used -= m->size + MAPPING_OVERHEAD;
    atomic_fetch_sub(&mapping_count, 1);
    next_munmap(m->start, m->size);
    free(m);
}

/* What a URB costs, and the mapping it lies in if it does: 0, EINVAL or ENOMEM. */
static int take_memory(struct node *n, struct pending *p, void *buffer, size_t length, unsigned packets, bool scattered)
{
    int error = 0;
    uint64_t amount = URB_OVERHEAD + 16u * packets;
    p->mapping = NULL;
    bool maybe_mapped = atomic_load(&mapping_count) > 0;
    if (maybe_mapped)
        pthread_mutex_lock(&memory_lock);
    for (struct mapping *m = maybe_mapped ? mappings : NULL; m; m = m->next)
        if (m->serial == n->serial && !m->unmapped && (uint8_t *)buffer >= m->start && (uint8_t *)buffer < m->start + m->size) {
            if (length > (size_t)(m->start + m->size - (uint8_t *)buffer))
                error = EINVAL; /* a URB must lie in one mapping */
            else
                p->mapping = m;
            break;
        }
    if (!error && !p->mapping) {
        amount += length;
        if (!scattered && length > MAX_CONTIGUOUS)
            error = ENOMEM;
    }
    if (!error && !charge(amount))
        error = ENOMEM;
    if (!error) {
        p->charge = amount;
        if (p->mapping)
            p->mapping->users++;
    }
    if (maybe_mapped)
        pthread_mutex_unlock(&memory_lock);
    return error;
}

static void return_memory(struct pending *p)
{
    atomic_fetch_sub(&memory_used, p->charge);
    p->charge = 0;
    if (!p->mapping)
        return;
    pthread_mutex_lock(&memory_lock);
    if (--p->mapping->users == 0 && p->mapping->unmapped)
        drop_mapping(p->mapping);
    p->mapping = NULL;
    pthread_mutex_unlock(&memory_lock);
}

/* ---- URBs: caller holds node->lock ------------------------------------------------------------------------------------------- */

static struct pending *new_pending(struct node *n)
{
    struct pending *p = n->free_list;
    if (p) {
        n->free_list = p->next;
    } else {
        if (n->slot_count == n->slot_capacity) {
            unsigned capacity = n->slot_capacity ? n->slot_capacity * 2 : 64;
            if (capacity > MAX_SLOTS)
                return NULL;
            struct pending **slots = realloc(n->slots, capacity * sizeof *slots);
            if (!slots)
                return NULL;
            n->slots = slots;
            n->slot_capacity = capacity;
        }
        p = calloc(1, sizeof *p);
        if (!p)
            return NULL;
        p->slot = (uint16_t)n->slot_count;
        n->slots[n->slot_count++] = p;
    }
    uint16_t slot = p->slot, generation = (uint16_t)((p->generation % 0x7fff) + 1);
    memset(p, 0, sizeof *p);
    p->slot = slot;
    p->generation = generation;
    p->sequence = (uint32_t)generation << 16 | slot;
    return p;
}

static void free_pending(struct node *n, struct pending *p)
{
    p->sequence = 0;
    p->next = n->free_list;
    n->free_list = p;
}

static struct pending *find_in_flight(struct node *n, uint32_t sequence)
{
    unsigned slot = sequence & 0xffff;
    struct pending *p = slot < n->slot_count ? n->slots[slot] : NULL;
    return p && p->sequence == sequence && p->in_flight ? p : NULL;
}

static void into_flight(struct node *n, struct pending *p)
{
    p->in_flight = true;
    p->next = NULL;
    p->previous = n->flying_tail;
    if (n->flying_tail)
        n->flying_tail->next = p;
    else
        n->flying = p;
    n->flying_tail = p;
}

static void out_of_flight(struct node *n, struct pending *p)
{
    if (p->previous)
        p->previous->next = p->next;
    else
        n->flying = p->next;
    if (p->next)
        p->next->previous = p->previous;
    else
        n->flying_tail = p->previous;
    p->in_flight = false;
    p->previous = p->next = NULL;
}

static void complete(struct node *n, struct pending *p, int status)
{
    out_of_flight(n, p);
    p->status = p->unlinked ? -ENOENT : status; /* the kernel reports what the URB was killed for, whatever came in between */
    p->done = true;
    if (!p->own) {
        p->next = NULL;
        if (n->done_tail)
            n->done_tail->next = p;
        else
            n->done = p;
        n->done_tail = p;
        if (n->done == p)
            something_to_reap(n);
    }
    announce(n);
}

/* ---- messages ------------------------------------------------------------------------------------------------------------- */

static void start_header(uint8_t *h, uint32_t command, uint32_t sequence, const struct node *n, bool in, unsigned endpoint)
{
    memset(h, 0, HEADER_SIZE);
    put32(h, command);
    put32(h + 4, sequence);
    put32(h + 8, n->bus << 16 | n->device);
    put32(h + 12, in);
    put32(h + 16, endpoint);
}

/* A send that fails means that the bus is gone; the receiver sees the same and gives every URB back, so nothing is lost here. */
static void send_unlink(struct node *n, uint32_t unlink_sequence, uint32_t sequence)
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
static uint32_t private_sequence(struct node *n)
{
    return 0x80000000u | (n->next_private_sequence++ & 0x7fffffffu);
}

/* A submit message, built where the sender stands: once it is on its way the URB may complete and be reaped at any time. */
struct submit_message {
    uint8_t header[HEADER_SIZE];
    struct iovec iov[3];
    int count;
    uint8_t iso[MAX_ISO_PACKETS * ISO_SIZE];
};

/* caller holds node->lock */
static void build_submit(const struct node *n, const struct pending *p, const uint8_t *setup, unsigned flags, struct submit_message *m)
{
    const struct usbdevfs_urb *u = p->urb;
    uint8_t *h = m->header;
    start_header(h, CMD_SUBMIT, p->sequence, n, p->in, p->endpoint & 15);
    put32(h + 20, flags);
    put32(h + 24, (uint32_t)p->length);
    /* a stream number has no field of its own: USB/IP's start frame means nothing for a bulk URB */
    put32(h + 28, p->type == USBDEVFS_URB_TYPE_ISO ? (uint32_t)u->start_frame : p->type == USBDEVFS_URB_TYPE_BULK ? u->stream_id : 0);
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

/* Asks the bus and waits for its answer: the answer's value (>= 0), or a negative errno. */
static int ask_host(struct node *n, enum host_operation operation, uint32_t a, uint32_t b, const void *payload, unsigned length,
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

/* ---- the receiver ----------------------------------------------------------------------------------------------------------- */

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
        /* The packets came without gaps; each belongs at the sum of the lengths asked for. From the last to the first, so that
         * no packet overwrites one that is still to be moved. */
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
    uint32_t cancel[64];
    uint32_t cancel_sequence[64];
    unsigned cancels = 0;
    pthread_mutex_lock(&n->lock);
    p->actual = actual;
    p->start_frame = (int)get32(h + 28);
    p->error_count = (int)get32(h + 36);
    /* A failed piece of a split bulk transfer takes the pieces behind it with it, and no more of them may be submitted. */
    if (status < 0 && !p->unlinked && p->type == USBDEVFS_URB_TYPE_BULK && status != -ECONNRESET && status != -ENOENT) {
        bool next_transfer = false;
        for (struct pending *q = p->next; q; q = q->next) {
            if (q->endpoint != p->endpoint || q->type != USBDEVFS_URB_TYPE_BULK || q->own)
                continue;
            if (!q->continuation) {
                next_transfer = true;
                break;
            }
            if (!q->unlinked && cancels < 64) {
                q->unlinked = true;
                cancel[cancels] = q->sequence;
                cancel_sequence[cancels++] = q->unlink_sequence = private_sequence(n);
            }
        }
        if (!next_transfer)
            n->disabled_bulk |= 1u << ((p->endpoint & 15) | (p->in ? 16 : 0));
    }
    complete(n, p, status);
    pthread_mutex_unlock(&n->lock);
    for (unsigned i = 0; i < cancels; i++)
        send_unlink(n, cancel_sequence[i], cancel[i]);
    return true;
}

static void received_unlink(struct node *n, const uint8_t *h)
{
    uint32_t sequence = get32(h + 4);
    int status = (int)get32(h + 20);
    if (status == 0)
        return; /* it was given back before */
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
    /* the asking thread waits until host_done, so its buffer is there */
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

/* Unplugged, or the bus has ended: every URB is given back and the node reports POLLERR from now on. */
static void disconnect(struct node *n)
{
    syscall(SYS_shutdown, n->socket, SHUT_RDWR); /* a sender that waits for room gives up */
    pthread_mutex_lock(&n->send_lock);
    pthread_mutex_lock(&n->lock);
    n->gone = true;
    while (n->flying)
        complete(n, n->flying, -ESHUTDOWN);
    int reader = n->pipe_read;
    n->pipe_read = -1;
    close_own(reader);
    announce(n);
    pthread_mutex_unlock(&n->lock);
    pthread_mutex_unlock(&n->send_lock);
}

static void *receive(void *argument)
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

/* ---- open and close ----------------------------------------------------------------------------------------------------------- */

/* The number of a usbfs node: true for /dev/bus/usb/BBB/DDD. */
static bool is_node(const char *path, unsigned *bus, unsigned *device)
{
    static const char prefix[] = "/dev/bus/usb/";
    if (!path || strncmp(path, prefix, sizeof prefix - 1))
        return false;
    const char *p = path + sizeof prefix - 1;
    for (int i = 0; i < 7; i++)
        if (i == 3 ? p[i] != '/' : p[i] < '0' || p[i] > '9')
            return false;
    if (p[7])
        return false;
    *bus = (unsigned)((p[0] - '0') * 100 + (p[1] - '0') * 10 + (p[2] - '0'));
    *device = (unsigned)((p[4] - '0') * 100 + (p[5] - '0') * 10 + (p[6] - '0'));
    return true;
}

/* The address of the bus's socket: false when there is none, and then nothing is intercepted. */
static bool bus_address(struct sockaddr_un *address)
{
    const char *root = getenv("UMOCKDEV_DIR");
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    return root && *root && (size_t)snprintf(address->sun_path, sizeof address->sun_path, "%s/usbip", root) < sizeof address->sun_path
        && syscall(SYS_faccessat, AT_FDCWD, address->sun_path, F_OK) == 0;
}

static struct node *new_node(void)
{
    pthread_mutex_lock(&table_lock);
    static uint64_t opens;
    struct node *n = free_nodes;
    if (n)
        free_nodes = n->next_free;
    uint64_t serial = ++opens;
    pthread_mutex_unlock(&table_lock);
    if (!n) {
        n = calloc(1, sizeof *n);
        if (!n)
            return NULL;
        pthread_mutex_init(&n->lock, NULL);
        pthread_mutex_init(&n->send_lock, NULL);
        pthread_mutex_init(&n->host_lock, NULL);
        pthread_condattr_t attributes;
        pthread_condattr_init(&attributes);
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        pthread_cond_init(&n->changed, &attributes);
        pthread_condattr_destroy(&attributes);
        n->closed = true;
    }
    n->fd = n->pipe_read = n->socket = -1;
    n->serial = serial;
    return n;
}

/* Gives back what a node owns; its memory is kept for the next open. */
static void recycle_node(struct node *n)
{
    close_own(n->pipe_read);
    close_own(n->socket);
    for (unsigned i = 0; i < n->slot_count; i++) {
        if (n->slots[i]->sequence && (n->slots[i]->charge || n->slots[i]->mapping))
            return_memory(n->slots[i]);
        free(n->slots[i]);
    }
    free(n->slots);
    free(n->descriptors);
    free(n->staging);
    pthread_mutex_lock(&n->lock);
    n->closed = true;
    n->gone = n->closing = n->writable = n->host_done = false;
    n->fd = n->pipe_read = n->socket = -1;
    n->flying = n->flying_tail = n->done = n->done_tail = n->free_list = NULL;
    n->slots = NULL;
    n->slot_count = n->slot_capacity = 0;
    n->disabled_bulk = n->claimed = n->local = 0;
    n->host_sequence = 0;
    n->descriptors = n->staging = NULL;
    n->descriptors_length = 0;
    n->position = 0;
    n->staged = n->staged_end = 0;
    pthread_mutex_unlock(&n->lock);
    pthread_mutex_lock(&table_lock);
    n->next_free = free_nodes;
    free_nodes = n;
    pthread_mutex_unlock(&table_lock);
}

/* NATIVE_LIBUSB_USBFS_LOCAL=81,02: endpoints whose URBs are completed here at submit, full and without error, and never reach
 * the bus. For benchmarks of what is above usbfs. */
static uint32_t local_endpoints(void)
{
    const char *text = getenv("NATIVE_LIBUSB_USBFS_LOCAL");
    uint32_t mask = 0;
    while (text && *text) {
        char *end;
        unsigned long address = strtoul(text, &end, 16);
        if (end == text)
            break;
        mask |= 1u << ((address & 15) | (address & 0x80 ? 16 : 0));
        text = *end == ',' ? end + 1 : end;
    }
    return mask;
}

/* The import handshake: 0, or the errno that open must report. */
static int import(struct node *n, unsigned bus, unsigned device, int flags)
{
    uint8_t request[8 + BUS_ID_SIZE] = { USBIP_VERSION >> 8, USBIP_VERSION & 255, OP_REQUEST_IMPORT >> 8, OP_REQUEST_IMPORT & 255 };
    uint8_t reply[8], imported[IMPORT_DEVICE_SIZE], host[28];
    put32(request + 4, (uint32_t)(flags & O_ACCMODE));
    snprintf((char *)request + 8, BUS_ID_SIZE, "%03u/%03u", bus, device);
    struct iovec iov = { request, sizeof request };
    if (!send_all(n->socket, &iov, 1) || !receive_exact(n->socket, reply, sizeof reply))
        return ENODEV;
    int status = (int)get32(reply + 4);
    if (status != 0)
        return status;
    if (!receive_exact(n->socket, imported, sizeof imported) || !receive_exact(n->socket, host, sizeof host))
        return ENODEV;
    n->capabilities = get32(host);
    n->bus = get32(host + 4);
    n->device = get32(host + 8);
    n->asks = host[12] & 0x80;
    n->speed = get32(host + 12) & 0xffffff;
    n->port_count = host[16];
    memcpy(n->ports, host + 17, 7);
    n->descriptors_length = get32(host + 24);
    n->descriptors = malloc(n->descriptors_length ? n->descriptors_length : 1);
    n->staging = malloc(STAGING_SIZE);
    if (!n->descriptors || !n->staging)
        return ENOMEM;
    if (!receive_exact(n->socket, n->endpoints, ENDPOINT_TABLE_SIZE)
        || !receive_exact(n->socket, n->descriptors, n->descriptors_length))
        return ENODEV;
    return 0;
}

static int open_node(unsigned bus, unsigned device, int flags, const struct sockaddr_un *address)
{
    int pipes[2] = { -1, -1 }, error = 0, buffer = 4 << 20;
    struct node *n = new_node();
    if (!n)
        return fail(ENOMEM);
    n->socket = (int)syscall(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (n->socket < 0) {
        error = errno;
        goto failed;
    }
    syscall(SYS_setsockopt, n->socket, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    while (syscall(SYS_connect, n->socket, address, sizeof *address) < 0)
        if (errno != EINTR) {
            error = ENODEV;
            goto failed;
        }
    if ((error = import(n, bus, device, flags)) != 0)
        goto failed;
    if (syscall(SYS_pipe2, pipes, O_NONBLOCK | O_CLOEXEC) < 0) {
        error = errno;
        goto failed;
    }
    if (pipes[1] >= MAX_DESCRIPTOR || syscall(SYS_fcntl, pipes[1], F_SETPIPE_SZ, 4096) < 0) {
        error = EMFILE;
        goto failed;
    }
    n->fd = pipes[1];
    n->pipe_read = pipes[0];
    n->writable = (flags & O_ACCMODE) != O_RDONLY;
    n->local = local_endpoints();
    nothing_to_reap(n);
    read_memory_limit();

    /* The receiver takes no signals: they are the program's, and a handler must not run on a thread it does not know. */
    sigset_t all, before;
    pthread_attr_t attributes;
    sigfillset(&all);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 128 * 1024);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&n->receiver, &attributes, receive, n);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (error)
        goto failed;
    pthread_setname_np(n->receiver, "usbfs-receiver");

    int fd = n->fd;
    pthread_mutex_lock(&n->lock);
    n->closed = false;
    pthread_mutex_unlock(&n->lock);
    atomic_store(&table[fd], n);
    return fd;

failed:
    close_own(pipes[1]);
    if (n->pipe_read < 0)
        close_own(pipes[0]);
    n->fd = -1;
    recycle_node(n);
    return fail(error);
}

/* The node behind a descriptor, with its use counted; NULL when the descriptor is not ours. */
static struct node *enter(int fd)
{
    if (fd < 0 || fd >= MAX_DESCRIPTOR)
        return NULL;
    struct node *n = atomic_load_explicit(&table[fd], memory_order_acquire);
    if (!n)
        return NULL;
    pthread_mutex_lock(&n->lock);
    if (n->closed || n->closing || n->fd != fd) {
        pthread_mutex_unlock(&n->lock);
        return NULL;
    }
    n->users++;
    pthread_mutex_unlock(&n->lock);
    return n;
}

static void leave(struct node *n)
{
    int error = errno;
    pthread_mutex_lock(&n->lock);
    if (--n->users == 0 && n->closing)
        announce(n);
    pthread_mutex_unlock(&n->lock);
    errno = error;
}

/* As in the kernel: when close returns, no URB of this node is in flight, nothing writes to the program's memory any more,
 * and the interfaces are free for the next who claims them. */
static int close_node(int fd, struct node *n)
{
    pthread_mutex_lock(&n->lock);
    if (n->closed || n->closing || n->fd != fd) {
        pthread_mutex_unlock(&n->lock);
        return next_close(fd);
    }
    n->closing = true;
    pthread_cond_broadcast(&n->changed);
    while (n->users > 0)
        wait_for_change(n);
    pthread_mutex_unlock(&n->lock);

    ask_host(n, HOST_CLOSE, 0, 0, NULL, 0, NULL, 0);
    atomic_store(&table[fd], NULL);
    syscall(SYS_shutdown, n->socket, SHUT_RDWR);
    pthread_join(n->receiver, NULL);
    recycle_node(n);
    return next_close(fd);
}

/* A forked child has no receiver threads. It must not answer for the parent's nodes nor keep their connections open. */
static void in_forked_child(void)
{
    for (int fd = 0; fd < MAX_DESCRIPTOR; fd++) {
        struct node *n = atomic_load(&table[fd]);
        if (n) {
            atomic_store(&table[fd], NULL);
            close_own(n->socket);
            close_own(n->pipe_read);
        }
    }
}

/* ---- what usbfs answers ---------------------------------------------------------------------------------------------------------- */

static struct endpoint_entry claimed_endpoint(struct node *n, unsigned address, bool *ours)
{
    struct endpoint_entry entry;
    pthread_mutex_lock(&n->lock);
    entry = n->endpoints[(address & 15) | (address & 0x80 ? 16 : 0)];
    *ours = entry.interface < MAX_INTERFACES && n->claimed & 1u << entry.interface;
    pthread_mutex_unlock(&n->lock);
    return entry;
}

static struct endpoint_entry endpoint_of(struct node *n, unsigned address)
{
    bool ours;
    return claimed_endpoint(n, address, &ours);
}

static int claim(struct node *n, unsigned interface)
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

static int release(struct node *n, unsigned interface)
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

/* A control request to an interface or endpoint belongs to whoever claimed it; the kernel claims it for a caller who did not. */
static int check_recipient(struct node *n, uint8_t request_type, uint8_t request, uint16_t index)
{
    if ((request_type & 0x60) == 0x40) /* vendor requests are not looked at */
        return 0;
    if (request_type == 0xa1 && request == 0) /* class GET_DEVICE_ID of a printer: its index is not an interface */
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

/* Hands a URB to the bus. own: it is this library's, waited for here and never reaped. 0 or a negative errno. */
static int submit(struct node *n, struct usbdevfs_urb *u, bool own, struct pending **submitted, uint32_t *sequence)
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
    bool local = n->local & endpoint_bit && !setup; /* nothing is sent */
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
        /* still under send_lock: an unplug gives the URB back, with its buffer, only after the data has been read */
        send_all(n->socket, message.iov, message.count);
        pthread_mutex_unlock(&n->send_lock);
    }
    return 0;
}

/* caller holds node->lock; the URB's place in flight is given up when the bus answers */
static bool mark_unlinked(struct node *n, struct pending *p)
{
    if (p->unlinked)
        return false;
    p->unlinked = true;
    p->unlink_sequence = private_sequence(n);
    return true;
}

/* As in the kernel, returns when the URB has been given back and waits to be reaped. */
static int discard(struct node *n, const void *urb)
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

static int reap(struct node *n, void **result, bool wait)
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

/* The synchronous ioctls: submit, wait, and unlink when the time is up. */
static int transfer(struct node *n, struct usbdevfs_urb *u, unsigned timeout_ms)
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
        return -ENOTTY; /* no kernel driver here has ioctls of its own */
    }
}

static int disconnect_claim(struct node *n, const struct usbdevfs_disconnect_claim *c)
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

static int answer(struct node *n, unsigned long request, void *argument)
{
    int status;
    switch (request) { /* these are answered on a node that is unplugged as well */
    case USBDEVFS_REAPURB:
        return reap(n, argument, true);
    case USBDEVFS_REAPURBNDELAY:
        return reap(n, argument, false);
    }
    pthread_mutex_lock(&n->lock);
    bool gone = n->gone;
    pthread_mutex_unlock(&n->lock);
    if (request == USBDEVFS_DISCARDURB && gone)
        return -EINVAL; /* nothing is in flight any more */
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
    case USBDEVFS_RESETEP: /* resets the host's data toggle only, and there is none here */
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
    if (_IOC_TYPE(request) == 'U' && _IOC_NR(request) == 32) { /* USBDEVFS_CONNINFO_EX, whose size is the caller's */
        struct usbdevfs_conninfo_ex c = { .size = sizeof c, .busnum = n->bus, .devnum = n->device, .speed = n->speed, .num_ports = n->port_count };
        memcpy(c.ports, n->ports, sizeof c.ports);
        size_t size = _IOC_SIZE(request);
        memcpy(argument, &c, size < sizeof c ? size : sizeof c);
        return 0;
    }
    return -ENOTTY;
}

/* ---- the intercepted functions ------------------------------------------------------------------------------------------------------ */

/* True when the path is a node of the bus; *result is then what open returns. */
static bool try_open(const char *path, int flags, int *result)
{
    unsigned bus, device;
    struct sockaddr_un address;
    ready();
    int error = errno;
    if (!is_node(path, &bus, &device) || !bus_address(&address)) {
        errno = error;
        return false;
    }
    errno = error;
    *result = open_node(bus, device, flags, &address);
    return true;
}

static mode_t mode_of(int flags, va_list arguments)
{
    return flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(arguments, mode_t) : 0;
}

#define OPEN(name)                                     \
    EXPORT int name(const char *path, int flags, ...)  \
    {                                                  \
        int result;                                    \
        if (try_open(path, flags, &result))            \
            return result;                             \
        va_list arguments;                             \
        va_start(arguments, flags);                    \
        mode_t mode = mode_of(flags, arguments);       \
        va_end(arguments);                             \
        return next_open(path, flags, mode);           \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                 \
    EXPORT int name(int directory, const char *path, int flags, ...) \
    {                                                                \
        int result;                                                  \
        if (try_open(path, flags, &result))                          \
            return result;                                           \
        va_list arguments;                                           \
        va_start(arguments, flags);                                  \
        mode_t mode = mode_of(flags, arguments);                     \
        va_end(arguments);                                           \
        return next_openat(directory, path, flags, mode);            \
    }
OPENAT(openat)
OPENAT(openat64)

/* what programs built with _FORTIFY_SOURCE call, Debian's libusb among them */
#define OPEN_2(name)                                   \
    EXPORT int name(const char *path, int flags);      \
    EXPORT int name(const char *path, int flags)       \
    {                                                  \
        int result;                                    \
        if (try_open(path, flags, &result))            \
            return result;                             \
        return next_open_2(path, flags);               \
    }
OPEN_2(__open_2)
OPEN_2(__open64_2)

#define OPENAT_2(name)                                            \
    EXPORT int name(int directory, const char *path, int flags);  \
    EXPORT int name(int directory, const char *path, int flags)   \
    {                                                             \
        int result;                                               \
        if (try_open(path, flags, &result))                       \
            return result;                                        \
        return next_openat_2(directory, path, flags);             \
    }
OPENAT_2(__openat_2)
OPENAT_2(__openat64_2)

EXPORT int close(int fd)
{
    ready();
    struct node *n = fd >= 0 && fd < MAX_DESCRIPTOR ? atomic_load_explicit(&table[fd], memory_order_acquire) : NULL;
    return n ? close_node(fd, n) : next_close(fd);
}

EXPORT int ioctl(int fd, unsigned long request, ...) __THROW;
EXPORT int ioctl(int fd, unsigned long request, ...)
{
    va_list arguments;
    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    ready();
    struct node *n = enter(fd);
    if (!n)
        return next_ioctl(fd, request, argument);
    int error = errno;
    int result = answer(n, request, argument);
    errno = error;
    leave(n);
    return result < 0 ? fail(-result) : result;
}

/* Reading a node gives its descriptors: the device's, then each configuration's. */
static ssize_t read_descriptors(struct node *n, void *buffer, size_t count, off_t *position)
{
    ssize_t result;
    pthread_mutex_lock(&n->lock);
    if (n->gone) {
        result = fail(ENODEV);
    } else if (*position >= (off_t)n->descriptors_length) {
        result = 0;
    } else {
        size_t rest = n->descriptors_length - (size_t)*position;
        size_t part = count < rest ? count : rest;
        memcpy(buffer, n->descriptors + *position, part);
        *position += (off_t)part;
        result = (ssize_t)part;
    }
    pthread_mutex_unlock(&n->lock);
    return result;
}

EXPORT ssize_t read(int fd, void *buffer, size_t count)
{
    ready();
    struct node *n = enter(fd);
    if (!n)
        return next_read(fd, buffer, count);
    ssize_t result = read_descriptors(n, buffer, count, &n->position);
    leave(n);
    return result;
}

EXPORT ssize_t __read_chk(int fd, void *buffer, size_t count, size_t size);
EXPORT ssize_t __read_chk(int fd, void *buffer, size_t count, size_t size)
{
    if (count > size)
        abort();
    return read(fd, buffer, count);
}

#define PREAD(name, offset_type)                                                  \
    EXPORT ssize_t name(int fd, void *buffer, size_t count, offset_type offset)   \
    {                                                                             \
        ready();                                                                  \
        struct node *n = enter(fd);                                               \
        if (!n)                                                                   \
            return next_pread(fd, buffer, count, offset);                         \
        off_t position = offset;                                                  \
        ssize_t result = read_descriptors(n, buffer, count, &position);           \
        leave(n);                                                                 \
        return result;                                                            \
    }
PREAD(pread, off_t)
PREAD(pread64, off64_t)

static off_t seek(struct node *n, off_t offset, int whence)
{
    pthread_mutex_lock(&n->lock);
    off_t base = whence == SEEK_CUR ? n->position : 0;
    off_t result;
    if ((whence != SEEK_SET && whence != SEEK_CUR) || base + offset < 0)
        result = fail(EINVAL);
    else
        result = n->position = base + offset;
    pthread_mutex_unlock(&n->lock);
    return result;
}

#define LSEEK(name, offset_type)                                      \
    EXPORT offset_type name(int fd, offset_type offset, int whence) __THROW; \
    EXPORT offset_type name(int fd, offset_type offset, int whence)   \
    {                                                                 \
        ready();                                                      \
        struct node *n = enter(fd);                                   \
        if (!n)                                                       \
            return next_lseek(fd, offset, whence);                    \
        offset_type result = seek(n, offset, whence);                 \
        leave(n);                                                     \
        return result;                                                \
    }
LSEEK(lseek, off_t)
LSEEK(lseek64, off64_t)

/* libusb_wrap_sys_device finds bus and address of a descriptor through its link in /proc. */
static bool link_of_node(const char *path, char *buffer, size_t size, ssize_t *result)
{
    int fd = -1, used = 0;
    char text[32];
    if (!path || sscanf(path, "/proc/self/fd/%d%n", &fd, &used) != 1 || path[used])
        return false;
    struct node *n = enter(fd);
    if (!n)
        return false;
    int length = snprintf(text, sizeof text, "/dev/bus/usb/%03u/%03u", n->bus, n->device);
    leave(n);
    *result = (size_t)length < size ? length : (ssize_t)size;
    memcpy(buffer, text, (size_t)*result);
    return true;
}

EXPORT ssize_t readlink(const char *path, char *buffer, size_t size)
{
    ssize_t result;
    ready();
    return link_of_node(path, buffer, size, &result) ? result : next_readlink(path, buffer, size);
}

EXPORT ssize_t __readlink_chk(const char *path, char *buffer, size_t size, size_t room);
EXPORT ssize_t __readlink_chk(const char *path, char *buffer, size_t size, size_t room)
{
    if (size > room)
        abort();
    return readlink(path, buffer, size);
}

/* libusb_dev_mem_alloc: memory that counts once, when it is mapped. */
static void *map_node(struct node *n, void *where, size_t length, int protection, int flags)
{
    if (!(n->capabilities & USBDEVFS_CAP_MMAP)) {
        errno = ENODEV;
        return MAP_FAILED;
    }
    size_t page = (size_t)sysconf(_SC_PAGESIZE), size = (length + page - 1) & ~(page - 1);
    struct mapping *m = calloc(1, sizeof *m);
    if (!m) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    bool fits = size <= MAX_CONTIGUOUS && charge(size + MAPPING_OVERHEAD);
    void *start = fits ? next_mmap(where, size, protection, (flags & ~MAP_FILE) | MAP_ANONYMOUS, -1, 0) : MAP_FAILED;
    pthread_mutex_lock(&memory_lock);
    if (start == MAP_FAILED) {
        if (fits)
            memory_used -= size + MAPPING_OVERHEAD;
        free(m);
    } else {
        *m = (struct mapping){ .next = mappings, .serial = n->serial, .start = start, .size = size };
        mappings = m;
        atomic_fetch_add(&mapping_count, 1);
    }
    pthread_mutex_unlock(&memory_lock);
    if (!fits)
        errno = ENOMEM;
    return start;
}

#define MMAP(name, offset_type)                                                                             \
    EXPORT void *name(void *where, size_t length, int protection, int flags, int fd, offset_type offset) __THROW; \
    EXPORT void *name(void *where, size_t length, int protection, int flags, int fd, offset_type offset)    \
    {                                                                                                       \
        struct node *n;                                                                                     \
        if (flags & MAP_ANONYMOUS || !(n = enter(fd))) {                                                    \
            if (!next_mmap) /* an allocator's call before dlsym can answer */                               \
                return (void *)syscall(SYS_mmap, where, length, protection, flags, fd, offset);             \
            return next_mmap(where, length, protection, flags, fd, offset);                                 \
        }                                                                                                   \
        void *start = map_node(n, where, length, protection, flags);                                        \
        leave(n);                                                                                           \
        return start;                                                                                       \
    }
MMAP(mmap, off_t)
MMAP(mmap64, off64_t)

EXPORT int munmap(void *start, size_t length) __THROW;
EXPORT int munmap(void *start, size_t length)
{
    if (atomic_load(&mapping_count) > 0) {
        pthread_mutex_lock(&memory_lock);
        for (struct mapping *m = mappings; m; m = m->next)
            if (m->start == start && !m->unmapped) {
                m->unmapped = true;
                if (m->users == 0)
                    drop_mapping(m);
                pthread_mutex_unlock(&memory_lock);
                return 0;
            }
        pthread_mutex_unlock(&memory_lock);
    }
    if (!next_munmap)
        return (int)syscall(SYS_munmap, start, length);
    return next_munmap(start, length);
}
