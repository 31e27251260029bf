/* Replaces the libc functions that a program calls to listen to kernel events. libusb calls them if it was built without udev. */
#include "preload.h"
#include <linux/netlink.h>

enum { FROM_KERNEL = 1 };

static bool is_event_socket(int fd)
{
    int domain = 0, protocol = -1;
    socklen_t length = sizeof domain;
    if (syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) < 0 || domain != AF_NETLINK)
        return false;
    length = sizeof protocol;
    return syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &length) == 0 && protocol == NETLINK_KOBJECT_UEVENT;
}

EXPORT int bind(int fd, const struct sockaddr *address, socklen_t length) __THROW;
EXPORT int bind(int fd, const struct sockaddr *address, socklen_t length)
{
    ready();
    int error = errno;
    if (bus_root() && address && length >= sizeof(struct sockaddr_nl) && address->sa_family == AF_NETLINK) {
        const struct sockaddr_nl *wanted = (const struct sockaddr_nl *)address;
        if (wanted->nl_groups & FROM_KERNEL && (listens(fd) || (is_event_socket(fd) && listen_on(fd)))) {
            errno = error;
            return 0;
        }
    }
    errno = error;
    return NEXT(bind)(fd, address, length);
}

/* Fills in the kernel as the sender of an event. */
static void name_kernel(void *address, socklen_t *length)
{
    struct sockaddr_nl kernel = { .nl_family = AF_NETLINK, .nl_groups = FROM_KERNEL };
    if (address && length) {
        memcpy(address, &kernel, *length < sizeof kernel ? *length : sizeof kernel);
        *length = sizeof kernel;
    }
}

/* Adds the kernel's credentials if there is room for them. */
static void add_credentials(struct msghdr *message, size_t room)
{
    struct ucred kernel = { 0 };
    message->msg_controllen = 0;
    if (room < CMSG_SPACE(sizeof kernel))
        return;
    struct cmsghdr *header = message->msg_control;
    memset(header, 0, CMSG_SPACE(sizeof kernel));
    header->cmsg_len = CMSG_LEN(sizeof kernel);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_CREDENTIALS;
    memcpy(CMSG_DATA(header), &kernel, sizeof kernel);
    message->msg_controllen = CMSG_SPACE(sizeof kernel);
}

EXPORT ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    ready();
    if (!listens(fd))
        return NEXT(recvmsg)(fd, message, flags);
    struct msghdr own = { .msg_iov = message->msg_iov, .msg_iovlen = message->msg_iovlen };
    ssize_t length = syscall(SYS_recvmsg, fd, &own, flags);
    if (length == 0)
        return receive_event(fd, NULL, 0);
    if (length > 0) {
        name_kernel(message->msg_name, message->msg_name ? &message->msg_namelen : NULL);
        add_credentials(message, message->msg_control ? message->msg_controllen : 0);
        message->msg_flags = own.msg_flags;
    }
    return length;
}

EXPORT ssize_t recvfrom(int fd, void *buffer, size_t size, int flags, struct sockaddr *address, socklen_t *address_length)
{
    ready();
    if (!listens(fd))
        return NEXT(recvfrom)(fd, buffer, size, flags, address, address_length);
    ssize_t length = syscall(SYS_recvfrom, fd, buffer, size, flags, NULL, NULL);
    if (length == 0)
        return receive_event(fd, NULL, 0);
    if (length > 0)
        name_kernel(address, address_length);
    return length;
}

EXPORT ssize_t recv(int fd, void *buffer, size_t size, int flags)
{
    ready();
    return listens(fd) ? recvfrom(fd, buffer, size, flags, NULL, NULL) : NEXT(recv)(fd, buffer, size, flags);
}
