/* This library counts the memory blocks that libusb allocates, so that a test can check that libusb has freed all of them.
 *
 * The library is loaded with LD_PRELOAD. The library replaces malloc, calloc, realloc and free in the whole process, passes every call
 * to libc, and records the blocks that libusb's code allocates. The library counts the blocks of libusb_alloc_transfer separately,
 * because these blocks are the native transfers. When any code frees a recorded block, the library removes the record and overwrites the
 * block, so that a later use of the block fails.
 *
 * The library counts nothing until a test calls native_libusb_counting_start with an address in libusb. The library's malloc must not
 * query the dynamic linker for this address, because another thread may hold the linker's lock and wait for the lock of this library.
 *
 * The library adds nothing to the blocks that libc returns. A process can therefore free a block that it allocated before the library
 * began to count. All data of this library is in static memory, and the library holds its lock for only a few instructions. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

/* libc provides the functions of its allocator under these names, for programs that replace malloc and free. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void __libc_free(void *block);

/* The tests read this structure (CountingAllocator.cs). */
struct counts {
    int64_t transfers_allocated, transfers_freed, live_transfers, live_blocks, live_bytes;
    int64_t not_recorded; /* blocks for which the table had no room; if not 0, the other numbers are wrong */
};

/* ---- the caller ------------------------------------------------------------------------------------------------------------ */

struct code {
    atomic_uintptr_t start;
    atomic_size_t size; /* 0 until the code is found; written last, read first */
};

static struct code libusb, alloc_transfer;

static bool is_in(struct code *code, const void *address)
{
    size_t size = atomic_load_explicit(&code->size, memory_order_acquire);
    return (uintptr_t)address - atomic_load_explicit(&code->start, memory_order_relaxed) < size;
}

static void set(struct code *code, uintptr_t start, size_t size)
{
    atomic_store_explicit(&code->start, start, memory_order_relaxed);
    atomic_store_explicit(&code->size, size, memory_order_release);
}

/* Finds the executable segment that contains libusb_alloc_transfer. This segment contains libusb's code. */
static int find_segment(struct dl_phdr_info *object, size_t size, void *alloc_transfer_address)
{
    (void)size;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        uintptr_t start = object->dlpi_addr + segment->p_vaddr;
        if (segment->p_type == PT_LOAD && segment->p_flags & PF_X && (uintptr_t)alloc_transfer_address - start < segment->p_memsz) {
            set(&libusb, start, segment->p_memsz);
            return 1;
        }
    }
    return 0;
}

/* ---- the blocks ----------------------------------------------------------------------------------------------------------- */

enum { BUCKETS = 1 << 14, CAPACITY = 1 << 16, NONE = 0 };

struct block {
    void *start;
    size_t size;
    uint32_t next; /* the next entry of the bucket, or of the list of free entries */
    bool is_transfer;
};

static struct block blocks[CAPACITY]; /* entry 0 is NONE */
static _Atomic uint32_t buckets[BUCKETS];
static uint32_t free_entries, used_entries = 1;
static struct counts counts;
static atomic_flag locked = ATOMIC_FLAG_INIT;

static void lock(void)
{
    while (atomic_flag_test_and_set_explicit(&locked, memory_order_acquire))
        sched_yield();
}

static void unlock(void) { atomic_flag_clear_explicit(&locked, memory_order_release); }

static _Atomic uint32_t *bucket_of(const void *start) { return &buckets[((uintptr_t)start >> 4) * 0x9e3779b97f4a7c15u >> 50]; }

/* The caller must hold the lock. */
static void insert(void *start, size_t size, bool is_transfer)
{
    uint32_t entry = free_entries;
    if (entry != NONE) {
        free_entries = blocks[entry].next;
    } else if (used_entries < CAPACITY) {
        entry = used_entries++;
    } else {
        counts.not_recorded++;
        return;
    }
    _Atomic uint32_t *bucket = bucket_of(start);
    blocks[entry] = (struct block){ start, size, atomic_load_explicit(bucket, memory_order_relaxed), is_transfer };
    atomic_store_explicit(bucket, entry, memory_order_relaxed);
    counts.live_blocks++;
    counts.live_bytes += (int64_t)size;
    counts.live_transfers += is_transfer;
}

/* The caller must hold the lock. Returns false if the block is not recorded. */
static bool remove_block(void *start, struct block *removed)
{
    _Atomic uint32_t *bucket = bucket_of(start);
    uint32_t before = NONE, entry = atomic_load_explicit(bucket, memory_order_relaxed);
    while (entry != NONE && blocks[entry].start != start) {
        before = entry;
        entry = blocks[entry].next;
    }
    if (entry == NONE)
        return false;
    *removed = blocks[entry];
    if (before == NONE)
        atomic_store_explicit(bucket, removed->next, memory_order_relaxed);
    else
        blocks[before].next = removed->next;
    blocks[entry].next = free_entries;
    free_entries = entry;
    counts.live_blocks--;
    counts.live_bytes -= (int64_t)removed->size;
    counts.live_transfers -= removed->is_transfer;
    return true;
}

/* Returns false if the block is certainly not recorded. Most calls of free in the process are for blocks that are not recorded. So that these calls stay fast,
 * the function takes no lock. The result is correct without a lock: the thread that frees a block has received the block from the thread that allocated the
 * block. The freeing thread therefore reads the bucket entry that the allocating thread wrote. */
static bool may_be_recorded(const void *start) { return atomic_load_explicit(bucket_of(start), memory_order_relaxed) != NONE; }

static void *record(void *start, size_t size, const void *caller)
{
    if (!start || !is_in(&libusb, caller))
        return start;
    bool is_transfer = is_in(&alloc_transfer, caller);
    lock();
    insert(start, size, is_transfer);
    counts.transfers_allocated += is_transfer;
    unlock();
    return start;
}

/* This byte fills a freed block. If code uses the byte in a pointer or a length, the code fails visibly. */
enum { POISON = 0xdb };

/* ---- functions for the process ---------------------------------------------------------------------------------------------- */

EXPORT void *malloc(size_t size) { return record(__libc_malloc(size), size, __builtin_return_address(0)); }

EXPORT void *calloc(size_t count, size_t size)
{
    return record(__libc_calloc(count, size), count * size, __builtin_return_address(0)); /* libc returns no block if the product overflows */
}

EXPORT void free(void *start)
{
    if (start && may_be_recorded(start)) {
        struct block removed;
        lock();
        bool ours = remove_block(start, &removed);
        counts.transfers_freed += ours && removed.is_transfer;
        unlock();
        if (ours)
            memset(start, POISON, removed.size);
    }
    __libc_free(start);
}

/* If any code resizes a recorded block, the block stays recorded. */
EXPORT void *realloc(void *start, size_t size)
{
    struct block old;
    bool recorded = false;
    if (!start)
        return record(__libc_malloc(size), size, __builtin_return_address(0));
    if (may_be_recorded(start)) {
        lock();
        recorded = remove_block(start, &old); /* before libc gets the block, because another thread may get the same address immediately */
        unlock();
    }
    void *resized = __libc_realloc(start, size);
    if (!recorded)
        return resized;
    lock();
    if (resized)
        insert(resized, size, old.is_transfer);
    else if (size > 0)
        insert(start, old.size, old.is_transfer); /* out of memory: the old block is unchanged */
    else
        counts.transfers_freed += old.is_transfer;
    unlock();
    return resized;
}

/* ---- functions for the tests ------------------------------------------------------------------------------------------------ */

/* Begins to count. The argument is the address of libusb_alloc_transfer in the libusb that the process uses. Returns false if the
 * address does not belong to a function in a loaded library. A test may call this function again. */
EXPORT bool native_libusb_counting_start(void *alloc_transfer_address)
{
    Dl_info info;
    const ElfW(Sym) *symbol = NULL;
    if (!dladdr1(alloc_transfer_address, &info, (void **)&symbol, RTLD_DL_SYMENT) || !symbol || symbol->st_size == 0)
        return false;
    set(&alloc_transfer, (uintptr_t)info.dli_saddr, symbol->st_size);
    return dl_iterate_phdr(find_segment, alloc_transfer_address) != 0;
}

/* Reads all numbers at the same moment. */
EXPORT void native_libusb_counting_read(struct counts *result)
{
    lock();
    *result = counts;
    unlock();
}
