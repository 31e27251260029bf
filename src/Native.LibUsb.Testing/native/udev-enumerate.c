/* udev enumeration: the directories of the bus's devices. */
#include "udev.h"
#include <dirent.h>
#include <fnmatch.h>

struct udev_enumerate *udev_enumerate_new(struct udev *udev)
{
    TO_LIBUDEV(udev, NULL, udev_enumerate_new, udev);
    struct udev_enumerate *all = new_object(sizeof *all);
    if (all)
        all->udev = udev_ref(udev);
    return all;
}

struct udev_enumerate *udev_enumerate_ref(struct udev_enumerate *all)
{
    TO_LIBUDEV(all, NULL, udev_enumerate_ref, all);
    return reference(all);
}

struct udev_enumerate *udev_enumerate_unref(struct udev_enumerate *all)
{
    TO_LIBUDEV(all, NULL, udev_enumerate_unref, all);
    if (dereferenced(all)) {
        while (all->matches) {
            struct udev_match *m = all->matches;
            all->matches = m->next;
            free(m->name);
            free(m->value);
            free(m);
        }
        free_entries(all->list);
        udev_unref(all->udev);
        free(all);
    }
    return NULL;
}

struct udev *udev_enumerate_get_udev(struct udev_enumerate *all)
{
    TO_LIBUDEV(all, NULL, udev_enumerate_get_udev, all);
    return all->udev;
}

/* ---- conditions ------------------------------------------------------------------------------ */

static int add_match(struct udev_enumerate *all, int kind, const char *name, const char *value)
{
    struct udev_match *m = calloc(1, sizeof *m);
    if (!m)
        return -ENOMEM;
    m->kind = kind;
    m->name = name ? strdup(name) : NULL;
    m->value = value ? strdup(value) : NULL;
    m->next = all->matches;
    all->matches = m;
    return 0;
}

#define MATCH_ONE(function, kind)                                  \
    int function(struct udev_enumerate *all, const char *name)     \
    {                                                              \
        TO_LIBUDEV(all, -ENOSYS, function, all, name);             \
        return name ? add_match(all, kind, name, NULL) : 0;        \
    }
MATCH_ONE(udev_enumerate_add_match_subsystem, MATCH_SUBSYSTEM)
MATCH_ONE(udev_enumerate_add_nomatch_subsystem, MATCH_NO_SUBSYSTEM)
MATCH_ONE(udev_enumerate_add_match_sysname, MATCH_NAME)
MATCH_ONE(udev_enumerate_add_match_tag, MATCH_NOTHING) /* the bus has no tags */

#define MATCH_TWO(function, kind)                                                     \
    int function(struct udev_enumerate *all, const char *name, const char *value)     \
    {                                                                                 \
        TO_LIBUDEV(all, -ENOSYS, function, all, name, value);                         \
        return name ? add_match(all, kind, name, value) : 0;                          \
    }
MATCH_TWO(udev_enumerate_add_match_sysattr, MATCH_ATTRIBUTE)
MATCH_TWO(udev_enumerate_add_nomatch_sysattr, MATCH_NO_ATTRIBUTE)
MATCH_TWO(udev_enumerate_add_match_property, MATCH_PROPERTY)

int udev_enumerate_add_match_parent(struct udev_enumerate *all, struct udev_device *parent)
{
    TO_LIBUDEV(all, -ENOSYS, udev_enumerate_add_match_parent, all, parent);
    return is_ours(parent) ? add_match(all, MATCH_PARENT, parent->path, NULL) : 0;
}

int udev_enumerate_add_match_is_initialized(struct udev_enumerate *all)
{
    TO_LIBUDEV(all, -ENOSYS, udev_enumerate_add_match_is_initialized, all);
    return 0;
}

static bool has_attribute(struct udev_device *d, const struct udev_match *m)
{
    const char *value = udev_device_get_sysattr_value(d, m->name);
    return value && (!m->value || !fnmatch(m->value, value, 0));
}

static bool has_property(struct udev_device *d, const struct udev_match *m)
{
    for (struct udev_list_entry *e = d->properties; e; e = e->next)
        if (!fnmatch(m->name, e->name, 0) && (!m->value || !fnmatch(m->value, e->value ? e->value : "", 0)))
            return true;
    return false;
}

/* A device must match all attribute conditions and none of the excluding conditions. For each of the remaining kinds of condition (subsystem,
 * property, name, parent), one match is enough. A kind without conditions excludes no device. */
static bool matches(const struct udev_enumerate *all, struct udev_device *d)
{
    unsigned wanted = 0, found = 0;
    const char *subsystem = udev_device_get_subsystem(d);
    for (struct udev_match *m = all->matches; m; m = m->next) {
        bool same = m->name && subsystem && !fnmatch(m->name, subsystem, 0), holds = false;
        size_t length = m->name ? strlen(m->name) : 0;
        switch (m->kind) {
        case MATCH_NO_SUBSYSTEM:
            if (same)
                return false;
            continue;
        case MATCH_NO_ATTRIBUTE:
            if (has_attribute(d, m))
                return false;
            continue;
        case MATCH_ATTRIBUTE: /* all conditions of this kind must match */
            if (!has_attribute(d, m))
                return false;
            continue;
        case MATCH_NOTHING:
            return false;
        case MATCH_SUBSYSTEM:
            holds = same;
            break;
        case MATCH_PROPERTY:
            holds = has_property(d, m);
            break;
        case MATCH_NAME:
            holds = !fnmatch(m->name, udev_device_get_sysname(d), 0);
            break;
        case MATCH_PARENT:
            holds = !strncmp(d->path, m->name, length) && (d->path[length] == 0 || d->path[length] == '/');
            break;
        }
        wanted |= 1u << m->kind;
        found |= holds ? 1u << m->kind : 0;
    }
    return wanted == found;
}

/* ---- the result ------------------------------------------------------------------------------ */

int udev_enumerate_add_syspath(struct udev_enumerate *all, const char *path)
{
    TO_LIBUDEV(all, -ENOSYS, udev_enumerate_add_syspath, all, path);
    struct udev_device *d = device_at(all->udev, path);
    if (!d)
        return -errno;
    bool added = add_entry(&all->list, d->path, NULL);
    udev_device_unref(d);
    return added ? 0 : -ENOMEM;
}

static int by_path(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

int udev_enumerate_scan_devices(struct udev_enumerate *all)
{
    static const char folder[] = "/sys/bus/usb/devices";
    char inside[PATH_MAX], path[PATH_MAX], **paths = NULL;
    size_t count = 0, room = 0;
    TO_LIBUDEV(all, -ENOSYS, udev_enumerate_scan_devices, all);
    free_entries(all->list);
    all->list = NULL;
    DIR *devices = inside_bus(folder, inside) ? NEXT(opendir)(inside) : NULL;
    if (!devices)
        return 0;
    int error = 0;
    for (struct dirent *e; !error && (e = readdir(devices));) {
        if (e->d_name[0] == '.' || (size_t)snprintf(path, sizeof path, "%s/%s", folder, e->d_name) >= sizeof path)
            continue;
        struct udev_device *d = device_at(all->udev, path); /* NULL if the device has been unplugged */
        if (!d)
            continue;
        if (matches(all, d)) {
            if (count == room) {
                char **more = realloc(paths, (room = room ? 2 * room : 16) * sizeof *paths);
                if (!more)
                    error = -ENOMEM;
                else
                    paths = more;
            }
            if (!error && !(paths[count++] = strdup(d->path))) {
                count--;
                error = -ENOMEM;
            }
        }
        udev_device_unref(d);
    }
    closedir(devices);
    if (count > 0)
        qsort(paths, count, sizeof *paths, by_path); /* a hub precedes the devices behind it */
    for (size_t i = 0; i < count; i++) {
        if (!error && !add_entry(&all->list, paths[i], NULL))
            error = -ENOMEM;
        free(paths[i]);
    }
    free(paths);
    return error;
}

int udev_enumerate_scan_subsystems(struct udev_enumerate *all)
{
    TO_LIBUDEV(all, -ENOSYS, udev_enumerate_scan_subsystems, all);
    free_entries(all->list);
    all->list = NULL;
    return 0;
}

struct udev_list_entry *udev_enumerate_get_list_entry(struct udev_enumerate *all)
{
    TO_LIBUDEV(all, NULL, udev_enumerate_get_list_entry, all);
    return all->list;
}
