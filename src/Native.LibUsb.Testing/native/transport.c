/* The library's own input and output. */
#include "preload.h"

bool send_all(int fd, struct iovec *iov, int count)
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

/* Receives exactly length bytes. It is called only before the receiver thread exists. */
bool receive_exact(int fd, void *buffer, size_t length)
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

/* Receives exactly length bytes. Only the receiver thread calls this function. The function first takes the bytes that are in the staging buffer. If
 * these bytes are not sufficient, a system call reads the missing bytes directly into the caller's buffer. If more bytes have arrived, the same call
 * stores them in the staging buffer. Several small messages therefore need only one system call. */
bool take(struct node *n, void *buffer, size_t length)
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
