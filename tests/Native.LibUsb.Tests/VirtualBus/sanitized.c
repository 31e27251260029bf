/* This program makes random calls to the preload library. The program and the library's sources are compiled together, with
 * AddressSanitizer and UndefinedBehaviorSanitizer. The sanitizers end the program at the first error. Every buffer has exactly the size
 * that the program passes to the library.
 *
 * usage: sanitized SEED URBS REQUESTS NODE...
 * URBS is the total number of URBs that the program submits, and REQUESTS is the total number of requests that it makes. Each NODE is a
 * device node that the program uses. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SLOTS = 48, WORKERS = 2, MOST_ENDPOINTS = 32 };

struct endpoint {
    unsigned char address, type;
};

struct slot {
    struct usbdevfs_urb *urb;
    void *buffer;
};

struct worker {
    uint64_t random;
    const char *node;
    int fd, endpoint_count;
    struct endpoint endpoints[MOST_ENDPOINTS];
    struct slot slots[SLOTS];
};

static atomic_long urbs_left, requests_left, urbs_accepted, urbs_reaped, requests_accepted;

static void require(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "sanitized: %s, errno %d\n", what, errno);
    abort();
}

static uint64_t next(struct worker *w)
{
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return w->random;
}

static unsigned below(struct worker *w, unsigned limit) { return (unsigned)(next(w) >> 33) % limit; }

static void *random_bytes(struct worker *w, size_t size)
{
    unsigned char *bytes = malloc(size ? size : 1);
    require(bytes != NULL, "no memory");
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)next(w);
    return bytes;
}

static void open_node(struct worker *w)
{
    w->fd = open(w->node, below(w, 20) ? O_RDWR | O_CLOEXEC : O_RDONLY | O_CLOEXEC);
    require(w->fd >= 0, "a node cannot be opened");
    /* This loop reads the endpoints of all settings from their descriptors. */
    static const unsigned char types[] = { USBDEVFS_URB_TYPE_CONTROL, USBDEVFS_URB_TYPE_ISO, USBDEVFS_URB_TYPE_BULK, USBDEVFS_URB_TYPE_INTERRUPT };
    unsigned char bytes[4096];
    ssize_t length = pread(w->fd, bytes, sizeof bytes, 0);
    require(length >= 18, "a node cannot be read");
    w->endpoint_count = 0;
    for (ssize_t i = 0; i + 1 < length && bytes[i] > 0; i += bytes[i])
        if (bytes[i + 1] == 5 && i + 3 < length && w->endpoint_count < MOST_ENDPOINTS)
            w->endpoints[w->endpoint_count++] = (struct endpoint){ bytes[i + 2], types[bytes[i + 3] & 3] };
}

static void release(struct slot *s)
{
    free(s->urb);
    free(s->buffer);
    s->urb = NULL;
    s->buffer = NULL;
}

/* Closes the last file descriptor of the node. The library then uses no URB. */
static void close_node(struct worker *w)
{
    require(close(w->fd) == 0, "a node cannot be closed");
    for (int i = 0; i < SLOTS; i++)
        release(&w->slots[i]);
}

static void reap(struct worker *w)
{
    struct usbdevfs_urb *done;
    while (ioctl(w->fd, USBDEVFS_REAPURBNDELAY, &done) == 0) {
        int i = 0;
        while (i < SLOTS && w->slots[i].urb != done)
            i++;
        require(i < SLOTS, "a URB was reaped that was not submitted");
        release(&w->slots[i]);
        atomic_fetch_add(&urbs_reaped, 1);
    }
}

static void submit(struct worker *w)
{
    static const unsigned char types[] = { USBDEVFS_URB_TYPE_ISO, USBDEVFS_URB_TYPE_INTERRUPT, USBDEVFS_URB_TYPE_CONTROL, USBDEVFS_URB_TYPE_BULK };
    int free_slot = 0;
    while (free_slot < SLOTS && w->slots[free_slot].urb)
        free_slot++;
    if (free_slot == SLOTS) {
        for (int i = 0; i < SLOTS; i += 2)
            ioctl(w->fd, USBDEVFS_DISCARDURB, w->slots[i].urb);
        reap(w);
        return;
    }
    struct slot *s = &w->slots[free_slot];
    struct endpoint chosen = { (unsigned char)next(w), types[below(w, 4)] };
    if (w->endpoint_count > 0 && below(w, 10))
        chosen = w->endpoints[below(w, (unsigned)w->endpoint_count)];
    if (below(w, 6) == 0)
        chosen = (struct endpoint){ 0, USBDEVFS_URB_TYPE_CONTROL };
    unsigned packets = chosen.type == USBDEVFS_URB_TYPE_ISO ? 1 + below(w, 130) : 0, most_packet = 1 + below(w, 1024);
    size_t length = below(w, 10) ? below(w, 2048) : below(w, 60000);
    struct usbdevfs_urb *u = calloc(1, sizeof *u + packets * sizeof u->iso_frame_desc[0]);
    require(u != NULL, "no memory");
    u->type = below(w, 40) ? chosen.type : (unsigned char)next(w);
    u->endpoint = chosen.address;
    u->flags = below(w, 10) ? (below(w, 4) ? 0 : USBDEVFS_URB_BULK_CONTINUATION | USBDEVFS_URB_SHORT_NOT_OK) : (unsigned)next(w);
    if (u->type == USBDEVFS_URB_TYPE_ISO && packets == 0)
        u->type = USBDEVFS_URB_TYPE_BULK; /* the kernel too relies on the number of packets */
    if (packets > 0) {
        size_t sum = 0;
        for (unsigned i = 0; i < packets; i++)
            sum += u->iso_frame_desc[i].length = below(w, 3000) ? below(w, most_packet) : below(w, 100000);
        length = sum;
        u->number_of_packets = (int)packets;
    } else {
        u->stream_id = below(w, 10) ? 0 : below(w, 20);
    }
    unsigned char *buffer = random_bytes(w, length);
    if (u->type == USBDEVFS_URB_TYPE_CONTROL && length >= 8 && below(w, 10)) {
        size_t stage = length - 8;
        buffer[0] = below(w, 2) ? 0x80 : 0xc0;
        buffer[1] = below(w, 2) ? 6 : buffer[1];
        buffer[6] = (unsigned char)stage;
        buffer[7] = (unsigned char)(stage >> 8);
    }
    u->buffer = buffer;
    u->buffer_length = below(w, 100) ? (int)length : -(int)below(w, 100);
    s->urb = u;
    s->buffer = buffer;
    if (atomic_fetch_sub(&urbs_left, 1) <= 0) {
        atomic_fetch_add(&urbs_left, 1);
        release(s);
        return;
    }
    if (ioctl(w->fd, USBDEVFS_SUBMITURB, u) != 0)
        release(s);
    else
        atomic_fetch_add(&urbs_accepted, 1);
}

static void use_descriptors(struct worker *w)
{
    unsigned char bytes[64];
    int copy, status;
    pid_t child;
    switch (below(w, 10)) {
    case 0:
        copy = dup(w->fd);
        require(copy >= 0 && close(w->fd) == 0, "dup failed");
        w->fd = copy;
        break;
    case 1:
        copy = fcntl(w->fd, F_DUPFD_CLOEXEC, 100 + (int)below(w, 100));
        require(copy >= 100 && close_range((unsigned)w->fd, (unsigned)w->fd, 0) == 0, "F_DUPFD_CLOEXEC failed");
        w->fd = copy;
        break;
    case 2:
        copy = dup(0);
        require(copy >= 0 && dup2(w->fd, copy) == copy && close(w->fd) == 0, "dup2 failed");
        w->fd = copy;
        break;
    case 3:
        if (below(w, 20) == 0) {
            child = fork();
            if (child == 0) {
                close(w->fd);
                _exit(0);
            }
            require(child > 0 && waitpid(child, &status, 0) == child && status == 0, "fork failed");
        }
        break;
    case 4:
        child = vfork();
        if (child == 0) {
            close(w->fd);
            _exit(0);
        }
        require(child > 0 && waitpid(child, &status, 0) == child && status == 0, "vfork failed");
        break;
    case 5:
        pread(w->fd, bytes, sizeof bytes, (off_t)below(w, 400) - 200);
        break;
    case 6:
        lseek(w->fd, (off_t)below(w, 400) - 200, (int)below(w, 4));
        read(w->fd, bytes, below(w, sizeof bytes));
        break;
    case 7: {
        size_t size = 1 + below(w, 20000);
        unsigned char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, w->fd, 0);
        if (memory != MAP_FAILED) {
            memory[size - 1] = 1;
            require(munmap(memory, size) == 0, "munmap failed");
        }
        break;
    }
    case 8: {
        char link[64], path[64];
        struct stat found;
        snprintf(path, sizeof path, "/proc/self/fd/%d", w->fd);
        require(readlink(path, link, below(w, sizeof link) + 1) > 0, "readlink failed");
        require(stat(w->node, &found) == 0 && S_ISCHR(found.st_mode), "stat failed");
        DIR *folder = opendir("/sys/bus/usb/devices");
        require(folder && readdir(folder) && closedir(folder) == 0, "opendir failed");
        break;
    }
    default:
        close_node(w);
        open_node(w);
        break;
    }
}

static void *submit_many(void *argument)
{
    struct worker *w = argument;
    open_node(w);
    while (atomic_load(&urbs_left) > 0)
        switch (below(w, 20)) {
        case 0: {
            unsigned endpoint = below(w, 2) ? 0x81 : 2;
            ioctl(w->fd, USBDEVFS_CLEAR_HALT, &endpoint);
            break;
        }
        case 1: {
            struct usbdevfs_setinterface setting = { below(w, 20) == 0, below(w, 5) };
            if (below(w, 10) == 0)
                ioctl(w->fd, USBDEVFS_SETINTERFACE, &setting);
            break;
        }
        case 2:
            ioctl(w->fd, USBDEVFS_DISCARDURB, w->slots[below(w, SLOTS)].urb);
            break;
        case 3:
            if (below(w, 4) == 0)
                use_descriptors(w);
            break;
        case 4:
        case 5:
        case 6:
            reap(w);
            break;
        default:
            submit(w);
            break;
        }
    close_node(w);
    return NULL;
}

/* Makes a request. The memory of the request has exactly the required size. Most of its bytes are random, but its pointers are valid or null. */
static void request(struct worker *w)
{
    static const unsigned long requests[] = {
        USBDEVFS_CLAIMINTERFACE, USBDEVFS_RELEASEINTERFACE, USBDEVFS_SETINTERFACE, USBDEVFS_SETCONFIGURATION, USBDEVFS_CLEAR_HALT, USBDEVFS_RESETEP,
        USBDEVFS_RESET, USBDEVFS_GETDRIVER, USBDEVFS_DISCONNECT_CLAIM, USBDEVFS_GET_CAPABILITIES, USBDEVFS_GET_SPEED, USBDEVFS_CONNECTINFO,
        USBDEVFS_CONNINFO_EX(sizeof(struct usbdevfs_conninfo_ex)), USBDEVFS_CONNINFO_EX(7), USBDEVFS_REAPURBNDELAY, USBDEVFS_DISCARDURB,
        USBDEVFS_CONTROL, USBDEVFS_BULK, USBDEVFS_IOCTL, USBDEVFS_ALLOC_STREAMS, USBDEVFS_FREE_STREAMS, 0,
    };
    unsigned long code = requests[below(w, sizeof requests / sizeof *requests)];
    if (code == 0)
        code = _IOC(below(w, 4), 'U', 40 + below(w, 200), 4);
    if (code == USBDEVFS_SETCONFIGURATION && below(w, 20))
        code = USBDEVFS_CLAIMINTERFACE;
    void *argument = random_bytes(w, _IOC_SIZE(code) > 8 ? _IOC_SIZE(code) : 8), *data = NULL;
    unsigned small = below(w, 3);
    switch (code) {
    case USBDEVFS_CLAIMINTERFACE:
    case USBDEVFS_RELEASEINTERFACE:
    case USBDEVFS_SETCONFIGURATION:
        if (below(w, 10))
            memcpy(argument, &small, sizeof small);
        break;
    case USBDEVFS_CONTROL: {
        struct usbdevfs_ctrltransfer *c = argument;
        c->wLength = (uint16_t)below(w, 5000);
        c->bRequestType = below(w, 2) ? 0x80 : (uint8_t)next(w);
        c->timeout = 1 + below(w, 3);
        c->data = data = random_bytes(w, c->wLength);
        break;
    }
    case USBDEVFS_BULK: {
        struct usbdevfs_bulktransfer *b = argument;
        b->ep = below(w, 2) ? 0x81 : 0x02;
        b->len = below(w, 3000);
        b->timeout = 1 + below(w, 3);
        b->data = data = random_bytes(w, b->len);
        break;
    }
    case USBDEVFS_IOCTL: {
        struct usbdevfs_ioctl *i = argument;
        i->ifno = (int)below(w, 3);
        i->ioctl_code = below(w, 3) ? (below(w, 2) ? (int)USBDEVFS_DISCONNECT : (int)USBDEVFS_CONNECT) : (int)next(w);
        i->data = NULL;
        break;
    }
    case USBDEVFS_ALLOC_STREAMS:
    case USBDEVFS_FREE_STREAMS: {
        unsigned count = below(w, 32);
        free(argument);
        struct usbdevfs_streams *s = argument = random_bytes(w, sizeof *s + count);
        s->num_eps = below(w, 10) ? count : 0;
        s->num_streams = below(w, 20);
        break;
    }
    }
    if (atomic_fetch_sub(&requests_left, 1) <= 0)
        atomic_fetch_add(&requests_left, 1);
    else if (ioctl(w->fd, code, argument) >= 0)
        atomic_fetch_add(&requests_accepted, 1);
    free(argument);
    free(data);
}

static void *request_many(void *argument)
{
    struct worker *w = argument;
    open_node(w);
    while (atomic_load(&requests_left) > 0)
        if (below(w, 200))
            request(w);
        else
            use_descriptors(w);
    close_node(w);
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return 99;
    int nodes = argc - 4, count = nodes * WORKERS;
    struct worker *workers = calloc((size_t)count, sizeof *workers);
    pthread_t *threads = calloc((size_t)count, sizeof *threads);
    require(workers && threads, "no memory");
    long urbs = atol(argv[2]), requests = atol(argv[3]);
    atomic_store(&urbs_left, urbs);
    atomic_store(&requests_left, requests);
    for (int i = 0; i < count; i++) {
        workers[i] = (struct worker){ .random = (strtoull(argv[1], NULL, 10) + (uint64_t)i + 1) * 0x9e3779b97f4a7c15u, .node = argv[4 + i % nodes], .fd = -1 };
        require(pthread_create(&threads[i], NULL, i < nodes ? submit_many : request_many, &workers[i]) == 0, "no thread");
    }
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    printf("%ld URBs, %ld accepted, %ld reaped; %ld requests, %ld accepted\n", urbs - atomic_load(&urbs_left), atomic_load(&urbs_accepted),
           atomic_load(&urbs_reaped), requests - atomic_load(&requests_left), atomic_load(&requests_accepted));
    free(workers);
    free(threads);
    return 0;
}
