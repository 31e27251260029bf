/* The preload library connects one process to a virtual bus, and answers the calls that the process makes to sysfs, udev and usbfs.
 *
 * Either LD_PRELOAD loads the library when the process starts, or the process loads the library later, when it creates a bus itself (attach.c). The bus
 * has a directory. In a preloaded process, $NATIVE_LIBUSB_BUS contains the path of the directory. The library redirects paths of USB devices in sysfs
 * and /dev to this directory (paths.c), and reads the files in it to answer calls of libudev functions (udev.h). The UNIX socket "events" in the
 * directory delivers the events of devices (events.c).
 *
 * The library answers the system calls that libusb makes on a usbfs device node (/dev/bus/usb/BBB/DDD) and passes all other calls on to libc. The
 * library contains no device logic. Each open node has a connection to the UNIX socket "usbip" in the directory. The library sends each URB on this
 * connection as a USB/IP submit message. On a real host, the kernel decides about claims, kernel drivers and streams. USB/IP has no messages for
 * these decisions. The library therefore sends its own small messages on the same connection, and the bus decides. The rules are thus implemented
 * only once, in the C# code of the bus.
 *
 * For libusb, the file descriptor of a device node is the write end of a pipe with room for one byte:
 *   one byte in the pipe  = not writable = no URB to reap, poll(POLLOUT) blocks
 *   empty pipe            = writable     = a URB is done, poll returns
 *   read end closed       = POLLERR      = the device is unplugged (the kernel also reports POLLERR)
 *
 * Threads: each open node has a receiver thread. Only this thread completes URBs and writes into their buffers. The receiver never sends messages,
 * because it could deadlock with the bus: each side would wait until the other side receives. If an unlink request is necessary, the receiver starts
 * a second thread that sends it (canceller.c).
 *
 * While a thread waits for an answer from the bus, it may hold host_lock, but none of the other locks below. Threads always take the locks in this
 * order:
 *   node->host_lock   one host message at a time
 *   node->send_lock   one message on the socket at a time
 *   node->lock        the state of the node (URBs in flight, done URBs, pipe)
 *   memory_lock       the mappings of the process
 *   free_lock         nodes that are not open
 * While the receiver receives messages, it takes only node->lock. A full socket therefore never blocks the receiver, and the receiver always reads
 * what the bus sends.
 *
 * For its own I/O, the library uses syscall(), because other preloaded libraries may also replace libc's functions.
 */
#ifndef PRELOAD_H
#define PRELOAD_H
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

/* Links the oldest version of a function. Newer releases of glibc contain several versions of some functions. With the oldest versions, the library
 * also runs on glibc 2.28. */
#ifdef __GLIBC__
#ifdef __aarch64__
#define OLD(name, version) __asm__(".symver " #name ", " #name "@GLIBC_2.17")
#else
#define OLD(name, version) __asm__(".symver " #name ", " #name "@" version)
#endif
OLD(dladdr, "GLIBC_2.2.5");
OLD(dlopen, "GLIBC_2.2.5");
OLD(dlsym, "GLIBC_2.2.5");
OLD(dlvsym, "GLIBC_2.2.5");
OLD(pthread_attr_setstacksize, "GLIBC_2.2.5");
OLD(pthread_condattr_setclock, "GLIBC_2.3.3");
OLD(pthread_create, "GLIBC_2.2.5");
OLD(pthread_join, "GLIBC_2.2.5");
OLD(pthread_once, "GLIBC_2.2.5");
OLD(pthread_setname_np, "GLIBC_2.12");
OLD(pthread_sigmask, "GLIBC_2.2.5");
#endif

/* ---- the protocol ---------------------------------------------------------------------------- */

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
    CMD_HOST = 0x8001, /* an extension of USB/IP: see HostOperation in the C# server */
    RET_HOST = 0x8003,

    URB_SHORT_NOT_OK = 0x01,
    URB_ISO_ASAP = 0x02,
    URB_ZERO_PACKET = 0x40,
    URB_DIR_IN = 0x200,
    URB_CONTINUATION = 0x40000000, /* an extension: the URB continues the transfer of the URB before it */
    URB_HAS_TIME = 0x20000000, /* an extension: the start frame contains the time of the submission */
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

/* The bus's description of the 32 endpoint addresses in the active settings: six bytes for each address. */
struct endpoint_entry {
    uint8_t kind; /* 0 = no such endpoint, otherwise 1 + the transfer type in the descriptor */
    uint8_t interface;
    uint8_t interval_bytes[4]; /* the maximum number of bytes in a service interval */
};
enum { KIND_NONE = 0, KIND_CONTROL = 1, KIND_ISO = 2, KIND_BULK = 3, KIND_INTERRUPT = 4 };
enum { ENDPOINT_TABLE_SIZE = 32 * sizeof(struct endpoint_entry) };

/* limits of the kernel's usbfs */
enum {
    MAX_ISO_PACKETS = 128,
    MAX_ISO_PACKET_LENGTH = 98304,
    MAX_CONTIGUOUS = 4 << 20, /* the kernel allocates a buffer without scatter-gather, and device memory, with one kmalloc */
    URB_OVERHEAD = 384,       /* the approximate size that the kernel counts for a URB in addition to its buffer */
    MAPPING_OVERHEAD = 64,    /* the same for device memory */
    MAX_INTERFACES = 32,
};
#define MAX_TRANSFER (UINT_MAX / 2 - 1000000)

/* ---- state ----------------------------------------------------------------------------------- */

enum { MAX_DESCRIPTOR = 65536, MAX_SLOTS = 65536, STAGING_SIZE = 65536 };

struct node;

/* memory mapped from a node (libusb_dev_mem_alloc) */
struct mapping {
    struct mapping *next;
    uint64_t serial; /* the node's serial; the node may be closed before the memory is unmapped */
    uint8_t *start;
    size_t size;
    unsigned users; /* URBs in this memory that are in flight or not yet reaped */
    bool unmapped;  /* munmap was called while URBs used the memory: the last of these URBs unmaps it */
};

/* A submitted URB. The structure is reused after the URB has been reaped, and freed when the node is closed. */
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
    bool unlink_due; /* the canceller must send the unlink request */
};

struct node {
    pthread_mutex_t lock, send_lock, host_lock;
    pthread_cond_t changed;
    pthread_cond_t cancelling; /* signalled when a URB waits for the canceller */
    unsigned waiters; /* threads in pthread_cond_wait on changed */
    unsigned users;   /* calls in progress on this node; close waits for them */
    struct node *next_free;
    uint64_t serial;  /* unique for each open */

    unsigned descriptors_open; /* number of the program's file descriptors, which are write ends of the pipe */
    int pipe_write;  /* the library's own descriptor */
    int pipe_read;   /* -1 once unplugged */
    int socket;
    pthread_t receiver, canceller;
    bool gone, closing, writable, closed;
    bool asks; /* each submission needs a request to the bus first */
    bool cancels;    /* the canceller has been started */

    struct pending *flying;           /* in order of submission */
    struct pending *flying_tail;
    struct pending *done, *done_tail; /* in order of completion */
    struct pending *free_list;
    struct pending **slots;
    unsigned slot_count, slot_capacity;
    uint32_t next_private_sequence;
    uint32_t disabled_bulk; /* bit per endpoint: a transfer of several URBs has failed, and its later URBs are refused */

    /* the host message being answered */
    uint32_t host_sequence;
    bool host_done;
    int host_status;
    uint8_t *host_reply;
    unsigned host_reply_capacity, host_reply_length;

    uint32_t claimed; /* interfaces claimed through this node */
    uint32_t local;   /* bit per endpoint: this library completes the URBs itself */
    struct endpoint_entry endpoints[32];

    uint32_t capabilities, bus, device, speed;
    uint8_t port_count, ports[7];
    uint8_t *descriptors;
    unsigned descriptors_length;
    off_t position;

    uint8_t *staging;
    size_t staged, staged_end;
};

/* Returns the number at the start of a text. With new headers, libc's own functions would require a new glibc. */
static inline uint64_t parse_number(const char *text, unsigned base, const char **end)
{
    uint64_t number = 0;
    for (;; text++) {
        unsigned digit = *text >= '0' && *text <= '9' ? (unsigned)(*text - '0')
            : *text >= 'a' && *text <= 'f' ? (unsigned)(*text - 'a' + 10)
            : *text >= 'A' && *text <= 'F' ? (unsigned)(*text - 'A' + 10) : 16;
        if (digit >= base)
            break;
        number = number * base + digit;
    }
    if (end)
        *end = text;
    return number;
}

static inline uint32_t get32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return be32toh(v);
}

static inline void put32(uint8_t *p, uint32_t v)
{
    v = htobe32(v);
    memcpy(p, &v, 4);
}

/* Represents a submit message. The message is on the stack of the sending thread and is not part of the URB, because the URB may be completed and
 * reaped while the thread is still sending the message. */
struct submit_message {
    uint8_t header[HEADER_SIZE];
    struct iovec iov[3];
    int count;
    uint8_t iso[MAX_ISO_PACKETS * ISO_SIZE];
};

/* next.c: the functions that this library replaces */
extern int (*next_open)(const char *, int, ...);
extern int (*next_openat)(int, const char *, int, ...);
extern int (*next_open_2)(const char *, int);
extern int (*next_openat_2)(int, const char *, int);
extern int (*next_close)(int);
extern int (*next_ioctl)(int, unsigned long, ...);
extern ssize_t (*next_read)(int, void *, size_t);
extern ssize_t (*next_pread)(int, void *, size_t, off_t);
extern off_t (*next_lseek)(int, off_t, int);
extern void *(*next_mmap)(void *, size_t, int, int, int, off_t);
extern int (*next_munmap)(void *, size_t);
void *find_next(_Atomic(void *) *found, const char *name);
#define NEXT(name) __extension__({ static _Atomic(void *) found; (__typeof__(&name))find_next(&found, #name); })
void ready(void);
int fail(int error);

/* paths.c: the directory that the bus writes, and the redirection of paths to it */
void set_bus(const char *path);
void forget_setting(void);
const char *bus_root(void);
bool inside_bus(const char *path, char *inside);
const char *redirect(const char *path, char *inside);
const char *outside_bus(const char *path);
bool is_node(const char *path, unsigned *bus, unsigned *device);
bool bus_address(const char *name, struct sockaddr_un *address);

/* events.c: the events of the bus */
int open_events(void);
ssize_t receive_event(int fd, void *buffer, size_t size);
bool listen_on(int fd);
bool listens(int fd);
void stop_listening(int fd);

/* transport.c: the library's own input and output */
bool send_all(int fd, struct iovec *iov, int count);
bool receive_exact(int fd, void *buffer, size_t length);
bool take(struct node *n, void *buffer, size_t length);

/* readiness.c: the readiness of a node for poll and for waiting threads; the caller holds node->lock */
void nothing_to_reap(struct node *n);
void something_to_reap(struct node *n);
void wait_for_change(struct node *n);
void announce(struct node *n);

/* memory.c: the memory limit of usbfs, and memory mapped from nodes */
void read_memory_limit(void);
int take_memory(struct node *n, struct pending *p, void *buffer, size_t length, unsigned packets, bool scattered);
void return_memory(struct pending *p);
void *map_node(struct node *n, void *where, size_t length, int protection, int flags);
bool unmap(void *start);
void forget_mappings(void);

/* urbs.c: the URBs of a node; the caller holds node->lock */
struct pending *new_pending(struct node *n);
void free_pending(struct node *n, struct pending *p);
struct pending *find_in_flight(struct node *n, uint32_t sequence);
void into_flight(struct node *n, struct pending *p);
void complete(struct node *n, struct pending *p, int status);

/* messages.c: the messages to the bus */
uint32_t private_sequence(struct node *n);
void send_unlink(struct node *n, uint32_t unlink_sequence, uint32_t sequence);
void build_submit(const struct node *n, const struct pending *p, const uint8_t *setup, unsigned flags, struct submit_message *m);
int ask_host(struct node *n, enum host_operation operation, uint32_t a, uint32_t b, const void *payload, unsigned length,
             void *reply, unsigned reply_capacity);

/* receiver.c: the thread that receives the messages of the bus */
void *receive(void *node);

/* attach.c: replacing functions in a running process */
void forget_attaching(void);

/* canceller.c: the thread that sends unlink requests on behalf of the receiver; the caller of cancel_later holds node->lock */
bool cancel_later(struct node *n, struct pending *p);

/* nodes.c: open nodes */
int start_thread(pthread_t *thread, void *(*run)(void *), struct node *n, const char *name);
int open_node(unsigned bus, unsigned device, int flags, const struct sockaddr_un *address);
void end_node(struct node *n);
void forget_nodes(void);

/* table.c: maps file descriptors to nodes, and records the library's own file descriptors */
void start_table(void);
int keep(int fd);
void close_own(int fd);
bool is_kept(int fd);
void enter_descriptor(int fd, struct node *n);
void leave_descriptor(int fd);
struct node *enter(int fd);
void leave(struct node *n);
struct node *before_copy(int fd);
int after_copy(struct node *n, int copy);
int close_ranges(unsigned first, unsigned last, unsigned flags);
void in_forked_child(void);

/* claims.c: the owners of interfaces and endpoints */
struct endpoint_entry claimed_endpoint(struct node *n, unsigned address, bool *ours);
struct endpoint_entry endpoint_of(struct node *n, unsigned address);
int claim(struct node *n, unsigned interface);
int release(struct node *n, unsigned interface);
int disconnect_claim(struct node *n, const struct usbdevfs_disconnect_claim *c);
int check_recipient(struct node *n, uint8_t request_type, uint8_t request, uint16_t index);

/* transfers.c: URBs from submission to reaping */
int submit(struct node *n, struct usbdevfs_urb *u, bool own, struct pending **submitted, uint32_t *sequence);
int discard(struct node *n, const void *urb);
int reap(struct node *n, void **result, bool wait);
int transfer(struct node *n, struct usbdevfs_urb *u, unsigned timeout_ms);

/* requests.c: the ioctls */
int answer(struct node *n, unsigned long request, void *argument);

/* descriptors.c: reading a node */
ssize_t read_descriptors(struct node *n, void *buffer, size_t count, off_t *position);
off_t seek(struct node *n, off_t offset, int whence);

#endif
