/* Finds the functions that this library replaces. */
#include "preload.h"

int (*next_open)(const char *, int, ...);
int (*next_openat)(int, const char *, int, ...);
int (*next_open_2)(const char *, int);
int (*next_openat_2)(int, const char *, int);
int (*next_close)(int);
int (*next_ioctl)(int, unsigned long, ...);
ssize_t (*next_read)(int, void *, size_t);
ssize_t (*next_pread)(int, void *, size_t, off_t);
off_t (*next_lseek)(int, off_t, int);
void *(*next_mmap)(void *, size_t, int, int, int, off_t);
int (*next_munmap)(void *, size_t);

/* Constructors of other libraries may call this library before its own constructor has run. Each entry point therefore calls ready(). */
static pthread_once_t resolved = PTHREAD_ONCE_INIT;

static void resolve(void)
{
    next_open = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open64");
    next_openat = (int (*)(int, const char *, int, ...))dlsym(RTLD_NEXT, "openat64");
    next_open_2 = (int (*)(const char *, int))dlsym(RTLD_NEXT, "__open64_2");
    next_openat_2 = (int (*)(int, const char *, int))dlsym(RTLD_NEXT, "__openat64_2");
    next_close = (int (*)(int))dlsym(RTLD_NEXT, "close");
    next_ioctl = (int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl");
    next_read = (ssize_t(*)(int, void *, size_t))dlsym(RTLD_NEXT, "read");
    next_pread = (ssize_t(*)(int, void *, size_t, off_t))dlsym(RTLD_NEXT, "pread64");
    next_lseek = (off_t(*)(int, off_t, int))dlsym(RTLD_NEXT, "lseek64");
    next_mmap = (void *(*)(void *, size_t, int, int, int, off_t))dlsym(RTLD_NEXT, "mmap64");
    next_munmap = (int (*)(void *, size_t))dlsym(RTLD_NEXT, "munmap");
    start_table();
    pthread_atfork(NULL, NULL, in_forked_child);
    set_bus(getenv("NATIVE_LIBUSB_BUS"));
}

/* Returns the libc function that has the given name, and stores the function's address for later calls. If glibc keeps a function only for old programs,
 * dlsym does not find the function, but dlvsym finds the function's oldest version. */
void *find_next(_Atomic(void *) *found, const char *name)
{
#ifdef __aarch64__
    static const char oldest[] = "GLIBC_2.17";
#else
    static const char oldest[] = "GLIBC_2.2.5";
#endif
    void *function = atomic_load_explicit(found, memory_order_acquire);
    if (!function) {
        function = dlsym(RTLD_NEXT, name);
        if (!function)
            function = dlvsym(RTLD_NEXT, name, oldest);
        atomic_store_explicit(found, function, memory_order_release);
    }
    return function;
}

void ready(void) { pthread_once(&resolved, resolve); }

__attribute__((constructor)) static void start(void) { ready(); }

int fail(int error)
{
    errno = error;
    return -1;
}
