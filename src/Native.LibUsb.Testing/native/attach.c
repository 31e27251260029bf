/* Puts this library in front of libc in a process that is already running.
 *
 * If a program is started with this library, the loader finds this library's functions before libc's. A program can also load this library later,
 * when it creates a bus. The loader then finds libc's functions first, so this library changes the tables through which the other libraries call
 * functions. If this library implements a libc or libudev function, it redirects the table entries of that function to its own implementation. When
 * the program loads a further library, this library also changes the tables of that library. */
#include "preload.h"
#include <link.h>
#include <sys/auxv.h>

#if defined __x86_64__
enum { CALL = R_X86_64_JUMP_SLOT, ADDRESS = R_X86_64_GLOB_DAT, VALUE = R_X86_64_64 };
#elif defined __aarch64__
enum { CALL = R_AARCH64_JUMP_SLOT, ADDRESS = R_AARCH64_GLOB_DAT, VALUE = R_AARCH64_ABS64 };
#else
#error "The relocations of this processor are not known."
#endif

struct function {
    const char *name;
    void *address;
};

/* Entries of a library's dynamic section. */
struct tables {
    const ElfW(Sym) *symbols;
    const char *names;
    const ElfW(Word) *hash;
    const ElfW(Rela) *relocations[2];
    size_t counts[2];
};

static struct function *functions;
static size_t function_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned long long objects_seen;
static void *libc_base;

static void *attached_dlopen(const char *path, int flags);
static void *attached_dlsym(void *handle, const char *name);

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct function *)a)->name, ((const struct function *)b)->name);
}

static const struct function *find_function(const char *name)
{
    struct function wanted = { name, NULL };
    return bsearch(&wanted, functions, function_count, sizeof wanted, by_name);
}

static bool is_this(const struct dl_phdr_info *object)
{
    uintptr_t here = (uintptr_t)&functions;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        uintptr_t start = object->dlpi_addr + object->dlpi_phdr[i].p_vaddr;
        if (object->dlpi_phdr[i].p_type == PT_LOAD && here >= start && here < start + object->dlpi_phdr[i].p_memsz)
            return true;
    }
    return false;
}

/* Returns true for the libraries of libc. Their tables are not changed, because this library calls their functions. */
static bool is_libc(const struct dl_phdr_info *object)
{
    static const char *const names[] = { "libc.so", "ld-linux", "libpthread.so", "libdl.so", "librt.so", "libm.so", "linux-vdso", "linux-gate" };
    const char *slash = strrchr(object->dlpi_name, '/'), *name = slash ? slash + 1 : object->dlpi_name;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strncmp(name, names[i], strlen(names[i])))
            return true;
    return object->dlpi_addr == getauxval(AT_SYSINFO_EHDR);
}

static bool read_tables(const struct dl_phdr_info *object, struct tables *t)
{
    const ElfW(Dyn) *dynamic = NULL;
    memset(t, 0, sizeof *t);
    for (int i = 0; i < object->dlpi_phnum; i++)
        if (object->dlpi_phdr[i].p_type == PT_DYNAMIC)
            dynamic = (const ElfW(Dyn) *)(object->dlpi_addr + object->dlpi_phdr[i].p_vaddr);
    for (const ElfW(Dyn) *d = dynamic; d && d->d_tag != DT_NULL; d++) {
        /* the loader has replaced these offsets with addresses where the section is writable */
        uintptr_t address = d->d_un.d_ptr < object->dlpi_addr ? object->dlpi_addr + d->d_un.d_ptr : d->d_un.d_ptr;
        switch (d->d_tag) {
        case DT_SYMTAB:
            t->symbols = (const ElfW(Sym) *)address;
            break;
        case DT_STRTAB:
            t->names = (const char *)address;
            break;
        case DT_HASH:
            t->hash = (const ElfW(Word) *)address;
            break;
        case DT_RELA:
            t->relocations[0] = (const ElfW(Rela) *)address;
            break;
        case DT_RELASZ:
            t->counts[0] = d->d_un.d_val / sizeof(ElfW(Rela));
            break;
        case DT_JMPREL:
            t->relocations[1] = (const ElfW(Rela) *)address;
            break;
        case DT_PLTRELSZ:
            t->counts[1] = d->d_un.d_val / sizeof(ElfW(Rela));
            break;
        }
    }
    return t->symbols && t->names;
}

/* Lists the functions that this library exports. */
static int list_functions(struct dl_phdr_info *object, size_t size, void *data)
{
    struct tables t;
    (void)size, (void)data;
    if (!is_this(object))
        return 0;
    if (!read_tables(object, &t) || !t.hash)
        return -1;
    size_t count = t.hash[1]; /* the number of symbols */
    functions = calloc(count + 2, sizeof *functions);
    if (!functions)
        return -1;
    for (size_t i = 0; i < count; i++) {
        const ElfW(Sym) *s = &t.symbols[i];
        const char *name = t.names + s->st_name;
        if (s->st_shndx != SHN_UNDEF && ELF64_ST_TYPE(s->st_info) == STT_FUNC && strncmp(name, "native_libusb_", 14))
            functions[function_count++] = (struct function){ name, (void *)(object->dlpi_addr + s->st_value) };
    }
    functions[function_count++] = (struct function){ "dlopen", (void *)attached_dlopen };
    functions[function_count++] = (struct function){ "dlsym", (void *)attached_dlsym };
    qsort(functions, function_count, sizeof *functions, by_name);
    return 1;
}

/* Finds the part of a library that the loader has filled and then made read-only. */
static void find_constant(const struct dl_phdr_info *object, uintptr_t *start, uintptr_t *end)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    *start = *end = 0;
    for (int i = 0; i < object->dlpi_phnum; i++)
        if (object->dlpi_phdr[i].p_type == PT_GNU_RELRO) {
            *start = (object->dlpi_addr + object->dlpi_phdr[i].p_vaddr) & -page;
            *end = (object->dlpi_addr + object->dlpi_phdr[i].p_vaddr + object->dlpi_phdr[i].p_memsz) & -page;
        }
}

static int bind_object(struct dl_phdr_info *object, size_t size, void *data)
{
    struct tables t;
    uintptr_t constant, constant_end;
    bool opened = false;
    (void)size, (void)data;
    if (is_this(object) || is_libc(object) || !read_tables(object, &t))
        return 0;
    find_constant(object, &constant, &constant_end);
    for (int table = 0; table < 2; table++)
        for (size_t i = 0; t.relocations[table] && i < t.counts[table]; i++) {
            const ElfW(Rela) *r = &t.relocations[table][i];
            unsigned type = (unsigned)ELF64_R_TYPE(r->r_info);
            if (type != CALL && type != ADDRESS && (type != VALUE || r->r_addend != 0))
                continue;
            const ElfW(Sym) *s = &t.symbols[ELF64_R_SYM(r->r_info)];
            const struct function *f = s->st_shndx == SHN_UNDEF ? find_function(t.names + s->st_name) : NULL;
            _Atomic(void *) *entry = (_Atomic(void *) *)(object->dlpi_addr + r->r_offset);
            if (!f || atomic_load(entry) == f->address)
                continue;
            if ((uintptr_t)entry >= constant && (uintptr_t)entry < constant_end && !opened) {
                if (mprotect((void *)constant, constant_end - constant, PROT_READ | PROT_WRITE) != 0)
                    break;
                opened = true;
            }
            atomic_store(entry, f->address);
        }
    if (opened)
        mprotect((void *)constant, constant_end - constant, PROT_READ);
    return 0;
}

static int count_objects(struct dl_phdr_info *object, size_t size, void *data)
{
    (void)size;
    *(unsigned long long *)data = object->dlpi_adds;
    return 1;
}

/* Changes the libraries that were loaded since the last call. */
static void bind_all(void)
{
    unsigned long long count = 0;
    pthread_mutex_lock(&lock);
    dl_iterate_phdr(count_objects, &count);
    if (count != objects_seen) {
        dl_iterate_phdr(bind_object, NULL);
        objects_seen = count;
    }
    pthread_mutex_unlock(&lock);
}

/* After a fork, a lock that another thread held in the parent remains locked in the child. */
void forget_attaching(void) { pthread_mutex_init(&lock, NULL); }

static void *attached_dlopen(const char *path, int flags)
{
    void *handle = dlopen(path, flags);
    int error = errno;
    if (handle)
        bind_all();
    errno = error;
    return handle;
}

/* Replaces dlsym, so that programs also find this library's functions with dlsym. With RTLD_NEXT, the real dlsym searches only the libraries after
 * the library that calls it. With -O2, the compiler turns the first call below into a jump, so the real dlsym sees the caller of this function.
 * Without the jump, the search would start after this library. */
static void *attached_dlsym(void *handle, const char *name)
{
    if (handle == RTLD_NEXT)
        return dlsym(handle, name);
    void *found = dlsym(handle, name);
    const struct function *f = found ? find_function(name) : NULL;
    Dl_info info;
    return f && (!strncmp(name, "udev_", 5) || (dladdr(found, &info) && info.dli_fbase == libc_base)) ? f->address : found;
}

/* Returns true if the process's calls lead to this library from now on. */
EXPORT bool native_libusb_usbfs_attach(void);
EXPORT bool native_libusb_usbfs_attach(void)
{
    Dl_info info;
    ready();
    pthread_mutex_lock(&lock);
    bool listed = functions || dl_iterate_phdr(list_functions, NULL) == 1;
    if (listed && dladdr((void *)next_open, &info))
        libc_base = info.dli_fbase;
    pthread_mutex_unlock(&lock);
    if (!listed)
        return false;
    bind_all();
    return true;
}
