/* The memory limit of usbfs, and memory that is mapped from nodes. */
#include "preload.h"

static pthread_mutex_t memory_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic uint64_t memory_used, memory_limit; /* atomic, so buffers outside of mappings need no lock */
static struct mapping *mappings;
static atomic_uint mapping_count;

/* Reads the memory limit from the (virtual) sysfs. The file contains the limit in MiB, or 0 for no limit. A program may raise the limit at any time.
 * The library therefore calls this function again before it refuses a request because of the limit. */
void read_memory_limit(void)
{
    char path[PATH_MAX], text[32];
    uint64_t limit = 16;
    if (inside_bus("/sys/module/usbcore/parameters/usbfs_memory_mb", path)) {
        int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0) {
            ssize_t length = syscall(SYS_read, fd, text, sizeof text - 1);
            if (length > 0) {
                text[length] = 0;
                limit = parse_number(text, 10, NULL);
            }
            close_own(fd);
        }
    }
    memory_limit = limit << 20;
}

/* Counts memory against the limit of usbfs. Returns false if the limit would be exceeded. */
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

/* Counts the memory of a URB and finds the mapping that contains its buffer. Returns 0, EINVAL or ENOMEM. */
int take_memory(struct node *n, struct pending *p, void *buffer, size_t length, unsigned packets, bool scattered)
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

void return_memory(struct pending *p)
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

/* Maps memory for libusb_dev_mem_alloc. It counts against the limit only once, when it is mapped. */
void *map_node(struct node *n, void *where, size_t length, int protection, int flags)
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

/* Returns true if the memory was mapped from a node. */
bool unmap(void *start)
{
    if (atomic_load(&mapping_count) == 0)
        return false;
    pthread_mutex_lock(&memory_lock);
    for (struct mapping *m = mappings; m; m = m->next)
        if (m->start == start && !m->unmapped) {
            m->unmapped = true;
            if (m->users == 0)
                drop_mapping(m);
            pthread_mutex_unlock(&memory_lock);
            return true;
        }
    pthread_mutex_unlock(&memory_lock);
    return false;
}

/* After a fork, a lock that another thread held in the parent remains locked in the child. */
void forget_mappings(void) { pthread_mutex_init(&memory_lock, NULL); }
