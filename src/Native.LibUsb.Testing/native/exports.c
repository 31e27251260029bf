/* The functions of libc that this library stands in front of. */
#include "preload.h"

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
    return close_descriptor(fd);
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
    if (unmap(start))
        return 0;
    if (!next_munmap)
        return (int)syscall(SYS_munmap, start, length);
    return next_munmap(start, length);
}
