/* udev contexts and lists. */
#include "udev.h"

void *libudev(const char *name)
{
    static _Atomic(void *) library;
    void *handle = atomic_load(&library);
    if (!handle) {
        handle = dlopen("libudev.so.1", RTLD_LAZY | RTLD_LOCAL);
        if (!handle)
            return NULL;
        atomic_store(&library, handle);
    }
    return dlsym(handle, name);
}

void *new_object(size_t size)
{
    struct object *o = calloc(1, size);
    if (o) {
        o->mark = UDEV_MARK;
        atomic_init(&o->references, 1);
    }
    return o;
}

void *reference(void *object)
{
    struct object *o = object;
    atomic_fetch_add(&o->references, 1);
    return object;
}

/* Removes a reference. Returns true if it was the last one; the caller then frees the object. */
bool dereferenced(void *object)
{
    struct object *o = object;
    if (atomic_fetch_sub(&o->references, 1) != 1)
        return false;
    o->mark = 0;
    return true;
}

/* ---- lists ----------------------------------------------------------------------------------- */

/* Adds an entry at the end of a list, or replaces the value of the entry with the same name. */
bool add_entry(struct udev_list_entry **list, const char *name, const char *value)
{
    char *copy = value ? strdup(value) : NULL;
    if (value && !copy)
        return false;
    for (; *list; list = &(*list)->next)
        if (!strcmp((*list)->name, name)) {
            free((*list)->value);
            (*list)->value = copy;
            return true;
        }
    struct udev_list_entry *e = calloc(1, sizeof *e);
    if (!e || !(e->name = strdup(name))) {
        free(e);
        free(copy);
        return false;
    }
    e->mark = UDEV_MARK;
    e->value = copy;
    *list = e;
    return true;
}

const char *entry_value(struct udev_list_entry *list, const char *name)
{
    for (; list; list = list->next)
        if (!strcmp(list->name, name))
            return list->value;
    return NULL;
}

void free_entries(struct udev_list_entry *list)
{
    while (list) {
        struct udev_list_entry *next = list->next;
        list->mark = 0;
        free(list->name);
        free(list->value);
        free(list);
        list = next;
    }
}

struct udev_list_entry *udev_list_entry_get_next(struct udev_list_entry *entry)
{
    TO_LIBUDEV(entry, NULL, udev_list_entry_get_next, entry);
    return entry->next;
}

struct udev_list_entry *udev_list_entry_get_by_name(struct udev_list_entry *entry, const char *name)
{
    TO_LIBUDEV(entry, NULL, udev_list_entry_get_by_name, entry, name);
    while (entry && strcmp(entry->name, name))
        entry = entry->next;
    return entry;
}

const char *udev_list_entry_get_name(struct udev_list_entry *entry)
{
    TO_LIBUDEV(entry, NULL, udev_list_entry_get_name, entry);
    return entry->name;
}

const char *udev_list_entry_get_value(struct udev_list_entry *entry)
{
    TO_LIBUDEV(entry, NULL, udev_list_entry_get_value, entry);
    return entry->value;
}

/* ---- contexts -------------------------------------------------------------------------------- */

struct udev *udev_new(void)
{
    ready();
    if (!bus_root()) {
        __typeof__(&udev_new) theirs = libudev("udev_new");
        return theirs ? theirs() : NULL;
    }
    return new_object(sizeof(struct udev));
}

struct udev *udev_ref(struct udev *udev)
{
    TO_LIBUDEV(udev, NULL, udev_ref, udev);
    return reference(udev);
}

struct udev *udev_unref(struct udev *udev)
{
    TO_LIBUDEV(udev, NULL, udev_unref, udev);
    if (dereferenced(udev)) {
        if (udev->libudev)
            udev_unref(udev->libudev);
        free(udev);
    }
    return NULL;
}

void *udev_get_userdata(struct udev *udev)
{
    TO_LIBUDEV(udev, NULL, udev_get_userdata, udev);
    return udev->user;
}

void udev_set_userdata(struct udev *udev, void *user)
{
    TO_LIBUDEV(udev, (void)0, udev_set_userdata, udev, user);
    udev->user = user;
}

void udev_set_log_fn(struct udev *udev, void *function) { TO_LIBUDEV(udev, (void)0, udev_set_log_fn, udev, function); }

int udev_get_log_priority(struct udev *udev)
{
    TO_LIBUDEV(udev, 0, udev_get_log_priority, udev);
    return 3; /* LOG_ERR */
}

void udev_set_log_priority(struct udev *udev, int priority) { TO_LIBUDEV(udev, (void)0, udev_set_log_priority, udev, priority); }

/* The queue and the hardware database are independent of the bus, so the real libudev provides them. */
static struct udev *context_of_libudev(struct udev *udev)
{
    if (!is_ours(udev))
        return udev;
    if (!udev->libudev) {
        __typeof__(&udev_new) theirs = libudev("udev_new");
        udev->libudev = theirs ? theirs() : NULL;
    }
    return udev->libudev;
}

struct udev_queue *udev_queue_new(struct udev *udev)
{
    __typeof__(&udev_queue_new) theirs = libudev("udev_queue_new");
    return theirs ? theirs(context_of_libudev(udev)) : NULL;
}

struct udev_hwdb *udev_hwdb_new(struct udev *udev)
{
    __typeof__(&udev_hwdb_new) theirs = libudev("udev_hwdb_new");
    return theirs ? theirs(context_of_libudev(udev)) : NULL;
}
