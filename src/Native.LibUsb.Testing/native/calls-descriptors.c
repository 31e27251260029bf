/* Replaces the functions of libc that have a file descriptor or a memory address as an argument. */
#include "preload.h"

EXPORT int close(int fd)
{
    ready();
    if (is_kept(fd))
        return fail(EBADF);
    leave_descriptor(fd);
    stop_listening(fd);
    return next_close(fd);
}

EXPORT int close_range(unsigned first, unsigned last, int flags) __THROW;
EXPORT int close_range(unsigned first, unsigned last, int flags)
{
    ready();
    return close_ranges(first, last, (unsigned)flags);
}

EXPORT void closefrom(int first) __THROW;
EXPORT void closefrom(int first)
{
    ready();
    close_ranges(first < 0 ? 0 : (unsigned)first, UINT_MAX, 0);
}

EXPORT int dup(int fd) __THROW;
EXPORT int dup(int fd)
{
    ready();
    struct node *n = before_copy(fd);
    return after_copy(n, NEXT(dup)(fd));
}

/* dup2 and dup3 close the file to which the new descriptor referred before. */
static bool may_replace(int fd, int copy)
{
    if (fd == copy)
        return true;
    if (is_kept(copy)) {
        errno = EBUSY;
        return false;
    }
    if (syscall(SYS_fcntl, fd, F_GETFD) >= 0) { /* otherwise the call fails, and nothing is closed */
        leave_descriptor(copy);
        stop_listening(copy);
    }
    return true;
}

EXPORT int dup2(int fd, int copy) __THROW;
EXPORT int dup2(int fd, int copy)
{
    ready();
    if (!may_replace(fd, copy))
        return -1;
    struct node *n = fd != copy ? before_copy(fd) : NULL;
    return after_copy(n, NEXT(dup2)(fd, copy));
}

EXPORT int dup3(int fd, int copy, int flags) __THROW;
EXPORT int dup3(int fd, int copy, int flags)
{
    ready();
    if (!may_replace(fd, copy))
        return -1;
    struct node *n = fd != copy ? before_copy(fd) : NULL;
    return after_copy(n, NEXT(dup3)(fd, copy, flags));
}

#define FCNTL(name)                                                                              \
    EXPORT int name(int fd, int command, ...)                                                    \
    {                                                                                            \
        va_list arguments;                                                                       \
        va_start(arguments, command);                                                            \
        void *argument = va_arg(arguments, void *);                                              \
        va_end(arguments);                                                                       \
        ready();                                                                                 \
        struct node *n = command == F_DUPFD || command == F_DUPFD_CLOEXEC ? before_copy(fd) : NULL; \
        int result = NEXT(name)(fd, command, argument);                                          \
        return n ? after_copy(n, result) : result;                                               \
    }
FCNTL(fcntl)
FCNTL(fcntl64)

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

#define MMAP(name, offset_type)                                                                             \
    EXPORT void *name(void *where, size_t length, int protection, int flags, int fd, offset_type offset) __THROW; \
    EXPORT void *name(void *where, size_t length, int protection, int flags, int fd, offset_type offset)    \
    {                                                                                                       \
        struct node *n;                                                                                     \
        if (flags & MAP_ANONYMOUS || !(n = enter(fd))) {                                                    \
            if (!next_mmap) /* an allocator may call mmap before dlsym works */                               \
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
