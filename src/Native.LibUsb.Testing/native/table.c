/* Maps file descriptors of the process to nodes, and records the library's own file descriptors.
 *
 * A node ends when the last file descriptor that refers to it is closed. A child of vfork shares this memory but has its own file descriptors, so the
 * child's close and dup calls must not change the table. */
#include "preload.h"

static _Atomic(struct node *) table[MAX_DESCRIPTOR];
static atomic_uchar own[MAX_DESCRIPTOR];
static pid_t process;

enum { FIRST_OWN = 400 }; /* low numbers are left to the program, which may rely on them */

void start_table(void) { process = (pid_t)syscall(SYS_getpid); }

static bool is_child(void) { return (pid_t)syscall(SYS_getpid) != process; }

static struct node *node_at(int fd)
{
    return fd >= 0 && fd < MAX_DESCRIPTOR ? atomic_load_explicit(&table[fd], memory_order_acquire) : NULL;
}

/* ---- the library's own ----------------------------------------------------------------------- */

/* Keeps a new descriptor for the library, so that the program cannot close it. Returns -1 if that fails. */
int keep(int fd)
{
    if (fd < 0)
        return -1;
    int moved = (int)syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, FIRST_OWN);
    if (moved >= 0) {
        syscall(SYS_close, fd);
        fd = moved;
    }
    if (fd >= MAX_DESCRIPTOR) {
        syscall(SYS_close, fd);
        errno = EMFILE;
        return -1;
    }
    atomic_store(&own[fd], 1);
    return fd;
}

void close_own(int fd)
{
    if (fd < 0)
        return;
    if (fd < MAX_DESCRIPTOR)
        atomic_store(&own[fd], 0);
    syscall(SYS_close, fd);
}

/* Returns true if a descriptor is the library's own, which the program must not close. */
bool is_kept(int fd) { return fd >= 0 && fd < MAX_DESCRIPTOR && atomic_load_explicit(&own[fd], memory_order_relaxed) && !is_child(); }

/* ---- the program's --------------------------------------------------------------------------- */

void enter_descriptor(int fd, struct node *n)
{
    pthread_mutex_lock(&n->lock);
    n->descriptors_open++;
    atomic_store(&table[fd], n);
    pthread_mutex_unlock(&n->lock);
}

/* Returns the node of a descriptor and counts its use. Returns NULL if the descriptor belongs to no node. */
struct node *enter(int fd)
{
    struct node *n = node_at(fd);
    if (!n)
        return NULL;
    pthread_mutex_lock(&n->lock);
    if (n->closed || n->closing || node_at(fd) != n) {
        pthread_mutex_unlock(&n->lock);
        return NULL;
    }
    n->users++;
    pthread_mutex_unlock(&n->lock);
    return n;
}

void leave(struct node *n)
{
    int error = errno;
    pthread_mutex_lock(&n->lock);
    if (--n->users == 0 && n->closing)
        announce(n);
    pthread_mutex_unlock(&n->lock);
    errno = error;
}

/* Detaches a descriptor from its node, before the descriptor is closed. The node ends with its last descriptor. */
void leave_descriptor(int fd)
{
    struct node *n = node_at(fd);
    if (!n || is_child())
        return;
    pthread_mutex_lock(&n->lock);
    if (n->closed || n->closing || node_at(fd) != n) {
        pthread_mutex_unlock(&n->lock);
        return;
    }
    n->closing = n->descriptors_open == 1;
    if (n->closing)
        pthread_cond_broadcast(&n->changed);
    while (n->closing && n->users > 0)
        wait_for_change(n);
    bool last = --n->descriptors_open == 0; /* a call that ended during the wait may have copied the descriptor */
    n->closing = last;
    if (!last)
        atomic_store(&table[fd], NULL);
    pthread_mutex_unlock(&n->lock);
    if (last) {
        end_node(n);
        atomic_store(&table[fd], NULL);
    }
}

/* A copy of a descriptor refers to the same node. The caller encloses the copying call in before_copy and after_copy. */
struct node *before_copy(int fd) { return node_at(fd) && !is_child() ? enter(fd) : NULL; }

int after_copy(struct node *n, int copy)
{
    if (n && copy >= 0 && copy < MAX_DESCRIPTOR)
        enter_descriptor(copy, n);
    if (n)
        leave(n);
    return copy;
}

/* Closes a range of descriptors, except the library's own, after detaching them from their nodes. */
int close_ranges(unsigned first, unsigned last, unsigned flags)
{
    enum { ONLY_ON_EXEC = 4 };
    if (is_child() || flags & ONLY_ON_EXEC || first > last)
        return (int)syscall(SYS_close_range, first, last, flags);
    for (unsigned fd = first; fd <= last && fd < MAX_DESCRIPTOR; fd++) {
        leave_descriptor((int)fd);
        stop_listening((int)fd);
    }
    for (unsigned fd = first; fd <= last && fd < MAX_DESCRIPTOR; fd++)
        if (atomic_load(&own[fd])) {
            if (first < fd && syscall(SYS_close_range, first, fd - 1, flags) < 0)
                return -1;
            first = fd + 1;
        }
    return first <= last ? (int)syscall(SYS_close_range, first, last, flags) : 0;
}

/* A forked child has no receiver threads. In the child, the library must therefore not answer calls on the parent's nodes, and must not keep the
 * connections of these nodes open. */
void in_forked_child(void)
{
    start_table();
    for (int fd = 0; fd < MAX_DESCRIPTOR; fd++) {
        if (atomic_load_explicit(&table[fd], memory_order_relaxed))
            atomic_store(&table[fd], NULL);
        if (atomic_load_explicit(&own[fd], memory_order_relaxed))
            close_own(fd);
    }
    forget_nodes();
    forget_mappings();
    forget_setting();
    forget_attaching();
}
