/* Replaces the functions of libc that have a path as an argument. */
#include "preload.h"
#include <dirent.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

/* Returns true if the path is a node of the bus. In that case, *result is the return value of open. */
static bool try_open(const char *path, int flags, int *result)
{
    unsigned bus, device;
    struct sockaddr_un address;
    int error = errno;
    if (!is_node(path, &bus, &device) || !bus_address("/usbip", &address)) {
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

#define OPEN(name)                                            \
    EXPORT int name(const char *path, int flags, ...)         \
    {                                                         \
        char inside[PATH_MAX];                                \
        int result;                                           \
        ready();                                              \
        if (try_open(path, flags, &result))                   \
            return result;                                    \
        va_list arguments;                                    \
        va_start(arguments, flags);                           \
        mode_t mode = mode_of(flags, arguments);              \
        va_end(arguments);                                    \
        return next_open(redirect(path, inside), flags, mode); \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                        \
    EXPORT int name(int directory, const char *path, int flags, ...)        \
    {                                                                       \
        char inside[PATH_MAX];                                              \
        int result;                                                         \
        ready();                                                            \
        if (try_open(path, flags, &result))                                 \
            return result;                                                  \
        va_list arguments;                                                  \
        va_start(arguments, flags);                                         \
        mode_t mode = mode_of(flags, arguments);                            \
        va_end(arguments);                                                  \
        return next_openat(directory, redirect(path, inside), flags, mode); \
    }
OPENAT(openat)
OPENAT(openat64)

/* programs that are built with _FORTIFY_SOURCE, such as Debian's libusb, call these functions */
#define OPEN_2(name)                                      \
    EXPORT int name(const char *path, int flags);         \
    EXPORT int name(const char *path, int flags)          \
    {                                                     \
        char inside[PATH_MAX];                            \
        int result;                                       \
        ready();                                          \
        if (try_open(path, flags, &result))               \
            return result;                                \
        return next_open_2(redirect(path, inside), flags); \
    }
OPEN_2(__open_2)
OPEN_2(__open64_2)

#define OPENAT_2(name)                                                 \
    EXPORT int name(int directory, const char *path, int flags);       \
    EXPORT int name(int directory, const char *path, int flags)        \
    {                                                                  \
        char inside[PATH_MAX];                                         \
        int result;                                                    \
        ready();                                                       \
        if (try_open(path, flags, &result))                            \
            return result;                                             \
        return next_openat_2(directory, redirect(path, inside), flags); \
    }
OPENAT_2(__openat_2)
OPENAT_2(__openat64_2)

#define FOPEN(name)                                               \
    EXPORT FILE *name(const char *path, const char *mode)         \
    {                                                             \
        char inside[PATH_MAX];                                    \
        ready();                                                  \
        return NEXT(name)(redirect(path, inside), mode);          \
    }
FOPEN(fopen)
FOPEN(fopen64)

EXPORT DIR *opendir(const char *path)
{
    char inside[PATH_MAX];
    ready();
    return NEXT(opendir)(redirect(path, inside));
}

EXPORT int access(const char *path, int mode) __THROW;
EXPORT int access(const char *path, int mode)
{
    char inside[PATH_MAX];
    ready();
    return NEXT(access)(redirect(path, inside), mode);
}

EXPORT int faccessat(int directory, const char *path, int mode, int flags) __THROW;
EXPORT int faccessat(int directory, const char *path, int mode, int flags)
{
    char inside[PATH_MAX];
    ready();
    return NEXT(faccessat)(directory, redirect(path, inside), mode, flags);
}

EXPORT int chdir(const char *path) __THROW;
EXPORT int chdir(const char *path)
{
    char inside[PATH_MAX];
    ready();
    return NEXT(chdir)(redirect(path, inside));
}

/* ---- file status ----------------------------------------------------------------------------- */

/* In the bus's directory, a node is a regular file. Programs receive the character device of usbfs instead. */
static bool device_number(const char *path, unsigned *number)
{
    unsigned bus, device;
    if (!is_node(path, &bus, &device))
        return false;
    *number = (bus - 1) * 128 + device - 1;
    return true;
}

enum { USB_MAJOR = 189 };

#define SHOW_DEVICE(path, result)                                          \
    do {                                                                   \
        unsigned number;                                                   \
        if (device_number(path, &number)) {                                \
            (result)->st_mode = S_IFCHR | ((result)->st_mode & 07777);     \
            (result)->st_rdev = makedev(USB_MAJOR, number);                \
        }                                                                  \
    } while (0)

#define STAT(name, type)                                           \
    EXPORT int name(const char *path, struct type *result) __THROW; \
    EXPORT int name(const char *path, struct type *result)         \
    {                                                              \
        char inside[PATH_MAX];                                     \
        ready();                                                   \
        const char *real = redirect(path, inside);                 \
        int status = NEXT(name)(real, result);                     \
        if (status == 0 && real != path)                           \
            SHOW_DEVICE(path, result);                             \
        return status;                                             \
    }
STAT(stat, stat)
STAT(stat64, stat64)
STAT(lstat, stat)
STAT(lstat64, stat64)

#define FSTATAT(name, type)                                                                      \
    EXPORT int name(int directory, const char *path, struct type *result, int flags) __THROW;    \
    EXPORT int name(int directory, const char *path, struct type *result, int flags)             \
    {                                                                                            \
        char inside[PATH_MAX];                                                                   \
        ready();                                                                                 \
        const char *real = redirect(path, inside);                                               \
        int status = NEXT(name)(directory, real, result, flags);                                 \
        if (status == 0 && real != path)                                                         \
            SHOW_DEVICE(path, result);                                                           \
        return status;                                                                           \
    }
FSTATAT(fstatat, stat)
FSTATAT(fstatat64, stat64)

/* programs that were built before glibc 2.33, such as .NET's native libraries, call these functions */
#define XSTAT(name, type)                                                     \
    EXPORT int name(int version, const char *path, struct type *result);      \
    EXPORT int name(int version, const char *path, struct type *result)       \
    {                                                                         \
        char inside[PATH_MAX];                                                \
        ready();                                                              \
        const char *real = redirect(path, inside);                            \
        int status = NEXT(name)(version, real, result);                       \
        if (status == 0 && real != path)                                      \
            SHOW_DEVICE(path, result);                                        \
        return status;                                                        \
    }
XSTAT(__xstat, stat)
XSTAT(__xstat64, stat64)
XSTAT(__lxstat, stat)
XSTAT(__lxstat64, stat64)

#define FXSTATAT(name, type)                                                                           \
    EXPORT int name(int version, int directory, const char *path, struct type *result, int flags);     \
    EXPORT int name(int version, int directory, const char *path, struct type *result, int flags)      \
    {                                                                                                  \
        char inside[PATH_MAX];                                                                         \
        ready();                                                                                       \
        const char *real = redirect(path, inside);                                                     \
        int status = NEXT(name)(version, directory, real, result, flags);                              \
        if (status == 0 && real != path)                                                               \
            SHOW_DEVICE(path, result);                                                                 \
        return status;                                                                                 \
    }
FXSTATAT(__fxstatat, stat)
FXSTATAT(__fxstatat64, stat64)

EXPORT int statx(int directory, const char *path, int flags, unsigned mask, struct statx *result) __THROW;
EXPORT int statx(int directory, const char *path, int flags, unsigned mask, struct statx *result)
{
    char inside[PATH_MAX];
    unsigned number;
    ready();
    const char *real = redirect(path, inside);
    int status = NEXT(statx)(directory, real, flags, mask, result);
    if (status == 0 && real != path && device_number(path, &number)) {
        result->stx_mode = S_IFCHR | (result->stx_mode & 07777);
        result->stx_rdev_major = USB_MAJOR;
        result->stx_rdev_minor = number;
    }
    return status;
}

/* libusb uses sysfs only if /sys has the file system type of sysfs. */
#define STATFS(name, type)                                                                   \
    EXPORT int name(const char *path, struct type *result) __THROW;                          \
    EXPORT int name(const char *path, struct type *result)                                   \
    {                                                                                        \
        char inside[PATH_MAX];                                                               \
        ready();                                                                             \
        bool all = !strcmp(path, "/sys") || !strcmp(path, "/sys/");                          \
        const char *real = all && inside_bus(path, inside) ? inside : redirect(path, inside); \
        int status = NEXT(name)(real, result);                                               \
        if (status == 0 && real != path && !strncmp(path, "/sys", 4))                        \
            result->f_type = 0x62656572;                                                     \
        return status;                                                                       \
    }
STATFS(statfs, statfs)
STATFS(statfs64, statfs64)

/* ---- symbolic links -------------------------------------------------------------------------- */

/* libusb_wrap_sys_device reads the symbolic link of a file descriptor in /proc to find the bus number and the address. */
static bool link_of_node(const char *path, char *buffer, size_t size, ssize_t *result)
{
    static const char prefix[] = "/proc/self/fd/";
    char text[32];
    const char *end;
    if (!path || strncmp(path, prefix, sizeof prefix - 1))
        return false;
    uint64_t fd = parse_number(path + sizeof prefix - 1, 10, &end);
    if (*end || end == path + sizeof prefix - 1 || fd > INT_MAX)
        return false;
    struct node *n = enter((int)fd);
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
    char inside[PATH_MAX];
    ssize_t result;
    ready();
    return link_of_node(path, buffer, size, &result) ? result : NEXT(readlink)(redirect(path, inside), buffer, size);
}

EXPORT ssize_t __readlink_chk(const char *path, char *buffer, size_t size, size_t room);
EXPORT ssize_t __readlink_chk(const char *path, char *buffer, size_t size, size_t room)
{
    if (size > room)
        abort();
    return readlink(path, buffer, size);
}

EXPORT ssize_t readlinkat(int directory, const char *path, char *buffer, size_t size)
{
    char inside[PATH_MAX];
    ssize_t result;
    ready();
    return link_of_node(path, buffer, size, &result) ? result : NEXT(readlinkat)(directory, redirect(path, inside), buffer, size);
}

EXPORT ssize_t __readlinkat_chk(int directory, const char *path, char *buffer, size_t size, size_t room);
EXPORT ssize_t __readlinkat_chk(int directory, const char *path, char *buffer, size_t size, size_t room)
{
    if (size > room)
        abort();
    return readlinkat(directory, path, buffer, size);
}

EXPORT char *realpath(const char *path, char *resolved) __THROW;
EXPORT char *realpath(const char *path, char *resolved)
{
    char inside[PATH_MAX], real[PATH_MAX];
    ready();
    const char *from = redirect(path, inside);
    if (from == path)
        return NEXT(realpath)(path, resolved);
    if (!NEXT(realpath)(from, real))
        return NULL;
    return resolved ? strcpy(resolved, outside_bus(real)) : strdup(outside_bus(real));
}

EXPORT char *__realpath_chk(const char *path, char *resolved, size_t room);
EXPORT char *__realpath_chk(const char *path, char *resolved, size_t room)
{
    if (room < PATH_MAX)
        abort();
    return realpath(path, resolved);
}

EXPORT char *canonicalize_file_name(const char *path) __THROW;
EXPORT char *canonicalize_file_name(const char *path) { return realpath(path, NULL); }
