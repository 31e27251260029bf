/* Open nodes. open creates a node, and the last close ends it. */
#include "preload.h"

static struct node *free_nodes; /* these nodes are never freed, so a late caller finds a closed node instead of freed memory */
static pthread_mutex_t free_lock = PTHREAD_MUTEX_INITIALIZER;

static struct node *new_node(void)
{
    pthread_mutex_lock(&free_lock);
    static uint64_t opens;
    struct node *n = free_nodes;
    if (n)
        free_nodes = n->next_free;
    uint64_t serial = ++opens;
    pthread_mutex_unlock(&free_lock);
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
        pthread_cond_init(&n->cancelling, &attributes);
        pthread_condattr_destroy(&attributes);
        n->closed = true;
    }
    n->pipe_write = n->pipe_read = n->socket = -1;
    n->serial = serial;
    return n;
}

/* Releases the resources of a node. Its memory is kept for the next open. */
static void recycle_node(struct node *n)
{
    close_own(n->pipe_write);
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
    n->gone = n->closing = n->writable = n->host_done = n->cancels = false;
    n->pipe_write = n->pipe_read = n->socket = -1;
    n->descriptors_open = 0;
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
    pthread_mutex_lock(&free_lock);
    n->next_free = free_nodes;
    free_nodes = n;
    pthread_mutex_unlock(&free_lock);
}

/* NATIVE_LIBUSB_USBFS_LOCAL lists endpoint addresses, for example 81,02. When the program submits a URB on one of these endpoints, this library
 * itself completes the URB immediately, without an error and with its full length. The library never sends such a URB to the bus. The variable is for
 * benchmarks of the layers above usbfs. */
static uint32_t local_endpoints(void)
{
    const char *text = getenv("NATIVE_LIBUSB_USBFS_LOCAL");
    uint32_t mask = 0;
    while (text && *text) {
        const char *end;
        uint64_t address = parse_number(text, 16, &end);
        if (end == text)
            break;
        mask |= 1u << ((address & 15) | (address & 0x80 ? 16 : 0));
        text = *end == ',' ? end + 1 : end;
    }
    return mask;
}

/* Performs the import handshake. Returns 0, or the errno for open. */
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

/* Starts a thread of the library with all signals blocked. Signals belong to the program, and the program's signal handlers must not run on the
 * library's threads. */
int start_thread(pthread_t *thread, void *(*run)(void *), struct node *n, const char *name)
{
    sigset_t all, before;
    pthread_attr_t attributes;
    sigfillset(&all);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 128 * 1024);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(thread, &attributes, run, n);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (!error)
        pthread_setname_np(*thread, name);
    return error;
}

int open_node(unsigned bus, unsigned device, int flags, const struct sockaddr_un *address)
{
    int pipes[2] = { -1, -1 }, error = 0, buffer = 4 << 20;
    struct node *n = new_node();
    if (!n)
        return fail(ENOMEM);
    n->socket = keep((int)syscall(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
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
    n->pipe_read = keep(pipes[0]);
    n->pipe_write = keep((int)syscall(SYS_fcntl, pipes[1], F_DUPFD_CLOEXEC, 0));
    if (pipes[1] >= MAX_DESCRIPTOR || n->pipe_read < 0 || n->pipe_write < 0 || syscall(SYS_fcntl, pipes[1], F_SETPIPE_SZ, 4096) < 0) {
        error = EMFILE;
        goto failed;
    }
    n->writable = (flags & O_ACCMODE) != O_RDONLY;
    n->local = local_endpoints();
    nothing_to_reap(n);
    read_memory_limit();
    if ((error = start_thread(&n->receiver, receive, n, "usbfs-receiver")) != 0)
        goto failed;
    pthread_mutex_lock(&n->lock);
    n->closed = false;
    pthread_mutex_unlock(&n->lock);
    enter_descriptor(pipes[1], n);
    return pipes[1];

failed:
    close_own(pipes[1]);
    recycle_node(n);
    return fail(error);
}

/* Ends a node when its last file descriptor is closed. By the time close() returns to the program, no URB of the node is in flight, no thread writes
 * to the program's buffers, and the interfaces are no longer claimed. The kernel gives the same guarantees. */
void end_node(struct node *n)
{
    ask_host(n, HOST_CLOSE, 0, 0, NULL, 0, NULL, 0);
    syscall(SYS_shutdown, n->socket, SHUT_RDWR);
    pthread_join(n->receiver, NULL);
    if (n->cancels)
        pthread_join(n->canceller, NULL);
    recycle_node(n);
}

/* A forked child has none of the library's threads. Locks that other threads held in the parent remain locked in the child, so the child uses none of
 * the parent's nodes and initializes free_lock again. */
void forget_nodes(void)
{
    free_nodes = NULL;
    pthread_mutex_init(&free_lock, NULL);
}
