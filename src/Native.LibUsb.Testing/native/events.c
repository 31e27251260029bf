/* Receives the events of the bus. Each message on a connection to the bus is one event.
 *
 * A message has the format of the kernel's netlink messages: ACTION@DEVPATH, followed by NAME=VALUE for each property. A zero byte ends each part.
 * The bus acknowledges a new connection with one byte. The connection receives all events that happen after that byte. */
#include "preload.h"
#include <linux/netlink.h>

static atomic_uchar listeners[MAX_DESCRIPTOR]; /* 1 for each descriptor that stands in for a program's netlink socket */

/* Returns a socket that never becomes readable, for programs that run longer than the bus. */
static int open_silence(void) { return (int)syscall(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0); }

/* Returns a new connection, or -1 and errno. */
int open_events(void)
{
    struct sockaddr_un address;
    uint8_t acknowledgement;
    if (!bus_address("/events", &address))
        return open_silence();
    int fd = (int)syscall(SYS_socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    long result;
    while ((result = syscall(SYS_connect, fd, &address, sizeof address)) < 0 && errno == EINTR)
        ;
    if (result < 0 || !receive_exact(fd, &acknowledgement, 1)) {
        close_own(fd);
        return open_silence();
    }
    return fd;
}

/* Returns the length of the next event, or a negative number and errno if there is none. */
ssize_t receive_event(int fd, void *buffer, size_t size)
{
    ssize_t length = syscall(SYS_recvfrom, fd, buffer, size, 0, NULL, NULL);
    if (length != 0)
        return length;
    /* The bus has ended. Its connection would remain readable, and the thread that polls it would never sleep. */
    int silence = open_silence();
    if (silence >= 0) {
        int flags = (int)syscall(SYS_fcntl, fd, F_GETFL);
        syscall(SYS_dup3, silence, fd, O_CLOEXEC);
        syscall(SYS_fcntl, fd, F_SETFL, flags);
        close_own(silence);
    }
    return fail(EAGAIN);
}

/* Replaces a program's netlink socket with a connection to the bus. */
bool listen_on(int fd)
{
    if (fd < 0 || fd >= MAX_DESCRIPTOR)
        return false;
    int events = open_events();
    if (events < 0)
        return false;
    int status = (int)syscall(SYS_fcntl, fd, F_GETFL), closing = (int)syscall(SYS_fcntl, fd, F_GETFD);
    bool replaced = syscall(SYS_dup3, events, fd, closing & FD_CLOEXEC ? O_CLOEXEC : 0) >= 0;
    close_own(events);
    if (!replaced)
        return false;
    syscall(SYS_fcntl, fd, F_SETFL, status & O_NONBLOCK);
    atomic_store(&listeners[fd], 1);
    return true;
}

bool listens(int fd) { return fd >= 0 && fd < MAX_DESCRIPTOR && atomic_load_explicit(&listeners[fd], memory_order_relaxed); }

void stop_listening(int fd)
{
    if (listens(fd))
        atomic_store(&listeners[fd], 0);
}
