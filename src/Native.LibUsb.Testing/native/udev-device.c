/* Implements udev devices. Each udev device represents a device directory of the virtual sysfs. */
#include "udev.h"
#include <dirent.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static const char *name_of(const char *path) { return strrchr(path, '/') + 1; }

static struct udev_device *new_device(struct udev *udev, const char *path)
{
    struct udev_device *d = new_object(sizeof *d + strlen(path) + 1);
    if (d) {
        strcpy(d->path, path);
        d->udev = udev_ref(udev);
    }
    return d;
}

/* Returns the text of a file in the directory of the bus, without trailing newlines. If the file cannot be read, the function sets errno and returns
 * NULL. The caller frees the text. */
static char *read_file(const char *folder, const char *name)
{
    char path[PATH_MAX], inside[PATH_MAX];
    enum { MOST = 65536 };
    if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, name) >= sizeof path || !inside_bus(path, inside)) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    int fd = (int)syscall(SYS_openat, AT_FDCWD, inside, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    char *text = malloc(MOST + 1);
    ssize_t length = text ? syscall(SYS_read, fd, text, MOST) : -1;
    close_own(fd);
    if (length < 0) {
        free(text);
        return NULL;
    }
    while (length > 0 && text[length - 1] == '\n')
        length--;
    text[length] = 0;
    return text;
}

/* Reads the properties from a text. The given character, or the end of the text, ends each property. */
static bool add_properties(struct udev_device *d, char *text, size_t length, char end)
{
    for (char *line = text, *limit = text + length; line < limit;) {
        char *stop = memchr(line, end, (size_t)(limit - line));
        if (!stop)
            stop = limit;
        *stop = 0; /* the callers provide room for this byte */
        char *equals = strchr(line, '=');
        if (equals) {
            *equals = 0;
            if (!add_entry(&d->properties, line, equals + 1))
                return false;
        }
        line = stop + 1;
    }
    return true;
}

/* In sysfs, the name of a node is relative to /dev. */
static bool complete_node(struct udev_device *d)
{
    char node[PATH_MAX];
    const char *name = entry_value(d->properties, "DEVNAME");
    if (!name || name[0] == '/' || (size_t)snprintf(node, sizeof node, "/dev/%s", name) >= sizeof node)
        return true;
    return add_entry(&d->properties, "DEVNAME", node);
}

/* Returns the device of a directory in sysfs, or NULL and errno if there is none. */
struct udev_device *device_at(struct udev *udev, const char *path)
{
    char inside[PATH_MAX], real[PATH_MAX];
    if (!path || strncmp(path, "/sys/", 5) || !inside_bus(path, inside) || !NEXT(realpath)(inside, real)) {
        errno = path && !strncmp(path, "/sys/", 5) ? ENODEV : EINVAL;
        return NULL;
    }
    const char *outside = outside_bus(real);
    char *text = read_file(outside, "uevent");
    if (!text) {
        errno = ENODEV;
        return NULL;
    }
    struct udev_device *d = new_device(udev, outside);
    if (d && (!add_properties(d, text, strlen(text), '\n') || !complete_node(d)
              || !add_entry(&d->properties, "DEVPATH", d->path + strlen("/sys")))) {
        udev_device_unref(d);
        d = NULL;
    }
    free(text);
    return d;
}

/* Returns the device of an event. If the device was removed, its directory no longer exists. The function therefore reads the properties from the
 * event. */
struct udev_device *device_of_event(struct udev *udev, const char *event, size_t length)
{
    char path[PATH_MAX], *text = malloc(length + 1);
    struct udev_device *d = NULL, *named;
    if (!text)
        return NULL;
    memcpy(text, event, length);
    text[length] = 0;
    named = new_device(udev, "/sys/");
    if (named && add_properties(named, text, length, 0) && complete_node(named)) {
        const char *devpath = entry_value(named->properties, "DEVPATH");
        if (devpath && (size_t)snprintf(path, sizeof path, "/sys%s", devpath) < sizeof path && (d = new_device(udev, path))) {
            d->properties = named->properties;
            named->properties = NULL;
        }
    }
    if (named)
        udev_device_unref(named);
    free(text);
    return d;
}

struct udev_device *udev_device_ref(struct udev_device *device)
{
    TO_LIBUDEV(device, NULL, udev_device_ref, device);
    return reference(device);
}

struct udev_device *udev_device_unref(struct udev_device *device)
{
    TO_LIBUDEV(device, NULL, udev_device_unref, device);
    if (dereferenced(device)) {
        if (device->parent)
            udev_device_unref(device->parent);
        free_entries(device->properties);
        free_entries(device->attributes);
        udev_unref(device->udev);
        free(device);
    }
    return NULL;
}

struct udev *udev_device_get_udev(struct udev_device *device)
{
    TO_LIBUDEV(device, NULL, udev_device_get_udev, device);
    return device->udev;
}

/* ---- finding devices ------------------------------------------------------------------------- */

struct udev_device *udev_device_new_from_syspath(struct udev *udev, const char *path)
{
    TO_LIBUDEV(udev, NULL, udev_device_new_from_syspath, udev, path);
    return device_at(udev, path);
}

struct udev_device *udev_device_new_from_subsystem_sysname(struct udev *udev, const char *subsystem, const char *name)
{
    char path[PATH_MAX];
    TO_LIBUDEV(udev, NULL, udev_device_new_from_subsystem_sysname, udev, subsystem, name);
    if (strcmp(subsystem, "usb") || (size_t)snprintf(path, sizeof path, "/sys/bus/usb/devices/%s", name) >= sizeof path) {
        errno = ENODEV;
        return NULL;
    }
    return device_at(udev, path);
}

struct udev_device *udev_device_new_from_devnum(struct udev *udev, char type, dev_t number)
{
    TO_LIBUDEV(udev, NULL, udev_device_new_from_devnum, udev, type, number);
    struct udev_enumerate *all = udev_enumerate_new(udev);
    struct udev_device *found = NULL;
    if (all && type == 'c' && udev_enumerate_scan_devices(all) >= 0)
        for (struct udev_list_entry *e = all->list; e && !found; e = e->next)
            if ((found = device_at(udev, e->name)) && udev_device_get_devnum(found) != number)
                found = udev_device_unref(found);
    if (all)
        udev_enumerate_unref(all);
    if (!found)
        errno = ENODEV;
    return found;
}

struct udev_device *udev_device_new_from_device_id(struct udev *udev, const char *id)
{
    TO_LIBUDEV(udev, NULL, udev_device_new_from_device_id, udev, id);
    const char *end = NULL;
    if (id[0] == 'c') {
        uint64_t major = parse_number(id + 1, 10, &end);
        if (*end == ':')
            return udev_device_new_from_devnum(udev, 'c', makedev(major, parse_number(end + 1, 10, NULL)));
    } else if (id[0] == '+' && (end = strchr(id, ':')) && end - id == 4 && !strncmp(id + 1, "usb", 3)) {
        return udev_device_new_from_subsystem_sysname(udev, "usb", end + 1);
    }
    errno = EINVAL;
    return NULL;
}

struct udev_device *udev_device_new_from_environment(struct udev *udev)
{
    char path[PATH_MAX];
    TO_LIBUDEV(udev, NULL, udev_device_new_from_environment, udev);
    const char *devpath = getenv("DEVPATH");
    if (devpath && (size_t)snprintf(path, sizeof path, "/sys%s", devpath) < sizeof path)
        return device_at(udev, path);
    errno = EINVAL;
    return NULL;
}

struct udev_device *udev_device_get_parent(struct udev_device *device)
{
    char path[PATH_MAX];
    TO_LIBUDEV(device, NULL, udev_device_get_parent, device);
    if (device->parent)
        return device->parent;
    strcpy(path, device->path);
    for (char *slash; (slash = strrchr(path, '/')) > path + strlen("/sys") && !device->parent;) {
        *slash = 0;
        device->parent = device_at(device->udev, path);
    }
    if (!device->parent)
        errno = ENOENT;
    return device->parent;
}

struct udev_device *udev_device_get_parent_with_subsystem_devtype(struct udev_device *device, const char *subsystem, const char *type)
{
    TO_LIBUDEV(device, NULL, udev_device_get_parent_with_subsystem_devtype, device, subsystem, type);
    while ((device = udev_device_get_parent(device))) {
        const char *its_type = udev_device_get_devtype(device), *its_subsystem = udev_device_get_subsystem(device);
        if (its_subsystem && !strcmp(its_subsystem, subsystem) && (!type || (its_type && !strcmp(its_type, type))))
            return device;
    }
    return NULL;
}

/* ---- properties ------------------------------------------------------------------------------ */

const char *udev_device_get_property_value(struct udev_device *device, const char *name)
{
    TO_LIBUDEV(device, NULL, udev_device_get_property_value, device, name);
    return entry_value(device->properties, name);
}

struct udev_list_entry *udev_device_get_properties_list_entry(struct udev_device *device)
{
    TO_LIBUDEV(device, NULL, udev_device_get_properties_list_entry, device);
    return device->properties;
}

#define PROPERTY(function, property)                    \
    const char *function(struct udev_device *device)    \
    {                                                   \
        TO_LIBUDEV(device, NULL, function, device);     \
        return entry_value(device->properties, property); \
    }
PROPERTY(udev_device_get_subsystem, "SUBSYSTEM")
PROPERTY(udev_device_get_devtype, "DEVTYPE")
PROPERTY(udev_device_get_devnode, "DEVNAME")
PROPERTY(udev_device_get_driver, "DRIVER")
PROPERTY(udev_device_get_action, "ACTION")

const char *udev_device_get_syspath(struct udev_device *device)
{
    TO_LIBUDEV(device, NULL, udev_device_get_syspath, device);
    return device->path;
}

const char *udev_device_get_devpath(struct udev_device *device)
{
    TO_LIBUDEV(device, NULL, udev_device_get_devpath, device);
    return device->path + strlen("/sys");
}

const char *udev_device_get_sysname(struct udev_device *device)
{
    TO_LIBUDEV(device, NULL, udev_device_get_sysname, device);
    return name_of(device->path);
}

const char *udev_device_get_sysnum(struct udev_device *device)
{
    TO_LIBUDEV(device, NULL, udev_device_get_sysnum, device);
    const char *name = name_of(device->path), *number = name + strlen(name);
    while (number > name && number[-1] >= '0' && number[-1] <= '9')
        number--;
    return *number && number > name ? number : NULL;
}

dev_t udev_device_get_devnum(struct udev_device *device)
{
    TO_LIBUDEV(device, 0, udev_device_get_devnum, device);
    const char *major = entry_value(device->properties, "MAJOR"), *minor = entry_value(device->properties, "MINOR");
    return major && minor ? makedev(parse_number(major, 10, NULL), parse_number(minor, 10, NULL)) : 0;
}

unsigned long long udev_device_get_seqnum(struct udev_device *device)
{
    TO_LIBUDEV(device, 0, udev_device_get_seqnum, device);
    const char *number = entry_value(device->properties, "SEQNUM");
    return number ? parse_number(number, 10, NULL) : 0;
}

unsigned long long udev_device_get_usec_since_initialized(struct udev_device *device)
{
    TO_LIBUDEV(device, 0, udev_device_get_usec_since_initialized, device);
    return 1;
}

int udev_device_get_is_initialized(struct udev_device *device)
{
    TO_LIBUDEV(device, 0, udev_device_get_is_initialized, device);
    return 1;
}

/* The bus has no rules that create links or tags. */
#define NO_LIST(function)                                           \
    struct udev_list_entry *function(struct udev_device *device)    \
    {                                                               \
        TO_LIBUDEV(device, NULL, function, device);                 \
        return NULL;                                                \
    }
NO_LIST(udev_device_get_devlinks_list_entry)
NO_LIST(udev_device_get_tags_list_entry)
NO_LIST(udev_device_get_current_tags_list_entry)

int udev_device_has_tag(struct udev_device *device, const char *tag)
{
    TO_LIBUDEV(device, 0, udev_device_has_tag, device, tag);
    return 0;
}

int udev_device_has_current_tag(struct udev_device *device, const char *tag)
{
    TO_LIBUDEV(device, 0, udev_device_has_current_tag, device, tag);
    return 0;
}

/* ---- attributes: the files of the directory -------------------------------------------------- */

const char *udev_device_get_sysattr_value(struct udev_device *device, const char *name)
{
    TO_LIBUDEV(device, NULL, udev_device_get_sysattr_value, device, name);
    const char *known = entry_value(device->attributes, name);
    if (known)
        return known;
    char *text = read_file(device->path, name);
    if (text)
        add_entry(&device->attributes, name, text);
    free(text);
    return entry_value(device->attributes, name);
}

struct udev_list_entry *udev_device_get_sysattr_list_entry(struct udev_device *device)
{
    char inside[PATH_MAX];
    TO_LIBUDEV(device, NULL, udev_device_get_sysattr_list_entry, device);
    DIR *folder = inside_bus(device->path, inside) ? NEXT(opendir)(inside) : NULL;
    if (!folder)
        return NULL;
    for (struct dirent *e; (e = readdir(folder));)
        if (e->d_type == DT_REG)
            udev_device_get_sysattr_value(device, e->d_name);
    closedir(folder);
    return device->attributes;
}

int udev_device_set_sysattr_value(struct udev_device *device, const char *name, const char *value)
{
    TO_LIBUDEV(device, -ENOSYS, udev_device_set_sysattr_value, device, name, value);
    return -EACCES;
}
