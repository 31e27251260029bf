/* The directory that the bus writes, and the redirection of paths to it. */
#include "preload.h"

/* Represents the directory of a bus. The library never frees such a structure, because another thread may still use the old path after the process
 * has switched to another bus. */
struct directory {
    struct directory *older;
    char path[];
};

static _Atomic(struct directory *) current;
static struct directory *all;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* The paths that are redirected to the bus. */
static const char *const owned[] = { "/sys/bus/usb", "/sys/devices/platform/native_libusb", "/sys/module/usbcore", "/dev/bus/usb" };

/* Sets the bus of this process, or none if the path is NULL or empty. */
void set_bus(const char *path)
{
    char real[PATH_MAX];
    if (path && *path && !NEXT(realpath)(path, real))
        path = NULL;
    if (!path || !*path) {
        atomic_store(&current, NULL);
        return;
    }
    pthread_mutex_lock(&lock);
    struct directory *d = all;
    while (d && strcmp(d->path, real))
        d = d->older;
    if (!d && (d = malloc(sizeof *d + strlen(real) + 1))) {
        strcpy(d->path, real);
        d->older = all;
        all = d;
    }
    atomic_store(&current, d);
    pthread_mutex_unlock(&lock);
}

/* After a fork, a lock that another thread held in the parent remains locked in the child. */
void forget_setting(void) { pthread_mutex_init(&lock, NULL); }

/* Returns the directory of the bus, or NULL if there is none. */
const char *bus_root(void)
{
    struct directory *d = atomic_load_explicit(&current, memory_order_acquire);
    return d ? d->path : NULL;
}

/* Returns the path of a file of the bus in inside. Returns false if there is no bus or the path is too long. */
bool inside_bus(const char *path, char *inside)
{
    const char *root = bus_root();
    if (!root)
        return false;
    size_t length = strlen(root), rest = strlen(path);
    if (length + rest >= PATH_MAX)
        return false;
    memcpy(inside, root, length);
    memcpy(inside + length, path, rest + 1);
    return true;
}

static bool is_owned(const char *path)
{
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) {
        size_t length = strlen(owned[i]);
        if (!strncmp(path, owned[i], length) && (path[length] == 0 || path[length] == '/'))
            return true;
    }
    return false;
}

/* Returns the path that replaces a path from the program. Each path that belongs to the bus has a counterpart in the directory of the bus. For such a
 * path, the function writes the path of the counterpart to the buffer "inside" (PATH_MAX bytes), and returns this buffer. It returns every other path
 * unchanged. */
const char *redirect(const char *path, char *inside)
{
    return path && path[0] == '/' && is_owned(path) && inside_bus(path, inside) ? inside : path;
}

/* Returns the path under which programs find a file in the directory of the bus. */
const char *outside_bus(const char *path)
{
    const char *root = bus_root();
    size_t length = root ? strlen(root) : 0;
    return root && !strncmp(path, root, length) && path[length] == '/' ? path + length : path;
}

/* Returns true for the path of a device node, /dev/bus/usb/BBB/DDD, with its numbers. */
bool is_node(const char *path, unsigned *bus, unsigned *device)
{
    static const char prefix[] = "/dev/bus/usb/";
    if (!path || strncmp(path, prefix, sizeof prefix - 1))
        return false;
    const char *p = path + sizeof prefix - 1;
    for (int i = 0; i < 7; i++)
        if (i == 3 ? p[i] != '/' : p[i] < '0' || p[i] > '9')
            return false;
    if (p[7])
        return false;
    *bus = (unsigned)((p[0] - '0') * 100 + (p[1] - '0') * 10 + (p[2] - '0'));
    *device = (unsigned)((p[4] - '0') * 100 + (p[5] - '0') * 10 + (p[6] - '0'));
    return true;
}

/* Finds the address of a socket of the bus. Returns false if there is no bus; the call is then passed on. */
bool bus_address(const char *name, struct sockaddr_un *address)
{
    char path[PATH_MAX];
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (!inside_bus(name, path) || strlen(path) >= sizeof address->sun_path || syscall(SYS_faccessat, AT_FDCWD, path, F_OK) != 0)
        return false;
    strcpy(address->sun_path, path);
    return true;
}

/* The bus of this process calls this function. */
EXPORT void native_libusb_usbfs_set_bus(const char *path);
EXPORT void native_libusb_usbfs_set_bus(const char *path)
{
    ready();
    set_bus(path);
}

/* Returns the file from which this library was loaded. */
EXPORT const char *native_libusb_usbfs_path(void);
EXPORT const char *native_libusb_usbfs_path(void)
{
    Dl_info info;
    return dladdr((void *)native_libusb_usbfs_path, &info) ? info.dli_fname : NULL;
}
