/* This library implements the functions of libudev. These functions read their data from the directory of the bus, and report the events of the bus.
 *
 * If the process has a bus, udev_new creates an object of this library, and all objects derived from this object also belong to this library. The
 * program then finds only the devices of the bus. If the process has no bus, udev_new returns an object of the real libudev, and all objects derived
 * from this object belong to the real libudev. Each function checks its object to decide whether this library or the real libudev
 * handles the call. */
#ifndef PRELOAD_UDEV_H
#define PRELOAD_UDEV_H
#include "preload.h"

#define UDEV_MARK 0x6e6c7564657634a1u /* differs from any address or reference count at the start of a libudev object */

struct object {
    uint64_t mark;
    atomic_int references;
};

struct udev {
    struct object object;
    void *user;
    struct udev *libudev; /* the real libudev's context, for objects that the bus does not provide */
};

struct udev_list_entry {
    uint64_t mark;
    struct udev_list_entry *next;
    char *name, *value;
};

struct udev_device {
    struct object object;
    struct udev *udev;
    struct udev_device *parent; /* owned by this object; NULL until it is requested */
    struct udev_list_entry *properties, *attributes;
    char path[]; /* in sysfs, with symbolic links resolved */
};

/* A filter by subsystem and device type. Either may be NULL. */
struct udev_filter {
    struct udev_filter *next;
    char *subsystem, *type;
};

struct udev_monitor {
    struct object object;
    struct udev *udev;
    int fd;
    bool receiving;
    struct udev_filter *filters;
};

/* A condition for enumerated devices. */
struct udev_match {
    struct udev_match *next;
    enum { MATCH_SUBSYSTEM, MATCH_NO_SUBSYSTEM, MATCH_ATTRIBUTE, MATCH_NO_ATTRIBUTE, MATCH_PROPERTY, MATCH_NAME, MATCH_PARENT, MATCH_NOTHING } kind;
    char *name, *value;
};

struct udev_enumerate {
    struct object object;
    struct udev *udev;
    struct udev_match *matches;
    struct udev_list_entry *list;
};

struct udev_queue;
struct udev_hwdb;

static inline bool is_ours(const void *object) { return object && *(const uint64_t *)object == UDEV_MARK; }

/* Returns a function of the real libudev, or NULL if there is none. */
void *libudev(const char *name);

/* Passes a call to libudev if the object does not belong to this library. */
#define TO_LIBUDEV(object, otherwise, name, ...)             \
    do {                                                     \
        if (!is_ours(object)) {                              \
            __typeof__(&name) theirs = libudev(#name);       \
            return theirs ? theirs(__VA_ARGS__) : otherwise; \
        }                                                    \
    } while (0)

/* udev.c */
void *new_object(size_t size);
void *reference(void *object);
bool dereferenced(void *object);
bool add_entry(struct udev_list_entry **list, const char *name, const char *value);
const char *entry_value(struct udev_list_entry *list, const char *name);
void free_entries(struct udev_list_entry *list);

/* udev-device.c */
struct udev_device *device_at(struct udev *udev, const char *path);
struct udev_device *device_of_event(struct udev *udev, const char *event, size_t length);

/* The functions that libudev exports. They are declared here because libudev's header need not be installed. */
EXPORT struct udev *udev_new(void);
EXPORT struct udev *udev_ref(struct udev *udev);
EXPORT struct udev *udev_unref(struct udev *udev);
EXPORT void *udev_get_userdata(struct udev *udev);
EXPORT void udev_set_userdata(struct udev *udev, void *user);
EXPORT void udev_set_log_fn(struct udev *udev, void *function);
EXPORT int udev_get_log_priority(struct udev *udev);
EXPORT void udev_set_log_priority(struct udev *udev, int priority);
EXPORT struct udev_queue *udev_queue_new(struct udev *udev);
EXPORT struct udev_hwdb *udev_hwdb_new(struct udev *udev);

EXPORT struct udev_list_entry *udev_list_entry_get_next(struct udev_list_entry *entry);
EXPORT struct udev_list_entry *udev_list_entry_get_by_name(struct udev_list_entry *entry, const char *name);
EXPORT const char *udev_list_entry_get_name(struct udev_list_entry *entry);
EXPORT const char *udev_list_entry_get_value(struct udev_list_entry *entry);

EXPORT struct udev_device *udev_device_ref(struct udev_device *device);
EXPORT struct udev_device *udev_device_unref(struct udev_device *device);
EXPORT struct udev *udev_device_get_udev(struct udev_device *device);
EXPORT struct udev_device *udev_device_new_from_syspath(struct udev *udev, const char *path);
EXPORT struct udev_device *udev_device_new_from_devnum(struct udev *udev, char type, dev_t number);
EXPORT struct udev_device *udev_device_new_from_subsystem_sysname(struct udev *udev, const char *subsystem, const char *name);
EXPORT struct udev_device *udev_device_new_from_device_id(struct udev *udev, const char *id);
EXPORT struct udev_device *udev_device_new_from_environment(struct udev *udev);
EXPORT struct udev_device *udev_device_get_parent(struct udev_device *device);
EXPORT struct udev_device *udev_device_get_parent_with_subsystem_devtype(struct udev_device *device, const char *subsystem, const char *type);
EXPORT const char *udev_device_get_devpath(struct udev_device *device);
EXPORT const char *udev_device_get_subsystem(struct udev_device *device);
EXPORT const char *udev_device_get_devtype(struct udev_device *device);
EXPORT const char *udev_device_get_syspath(struct udev_device *device);
EXPORT const char *udev_device_get_sysname(struct udev_device *device);
EXPORT const char *udev_device_get_sysnum(struct udev_device *device);
EXPORT const char *udev_device_get_devnode(struct udev_device *device);
EXPORT int udev_device_get_is_initialized(struct udev_device *device);
EXPORT struct udev_list_entry *udev_device_get_devlinks_list_entry(struct udev_device *device);
EXPORT struct udev_list_entry *udev_device_get_properties_list_entry(struct udev_device *device);
EXPORT struct udev_list_entry *udev_device_get_tags_list_entry(struct udev_device *device);
EXPORT struct udev_list_entry *udev_device_get_current_tags_list_entry(struct udev_device *device);
EXPORT struct udev_list_entry *udev_device_get_sysattr_list_entry(struct udev_device *device);
EXPORT const char *udev_device_get_property_value(struct udev_device *device, const char *name);
EXPORT const char *udev_device_get_driver(struct udev_device *device);
EXPORT dev_t udev_device_get_devnum(struct udev_device *device);
EXPORT const char *udev_device_get_action(struct udev_device *device);
EXPORT unsigned long long udev_device_get_seqnum(struct udev_device *device);
EXPORT unsigned long long udev_device_get_usec_since_initialized(struct udev_device *device);
EXPORT const char *udev_device_get_sysattr_value(struct udev_device *device, const char *name);
EXPORT int udev_device_set_sysattr_value(struct udev_device *device, const char *name, const char *value);
EXPORT int udev_device_has_tag(struct udev_device *device, const char *tag);
EXPORT int udev_device_has_current_tag(struct udev_device *device, const char *tag);

EXPORT struct udev_monitor *udev_monitor_ref(struct udev_monitor *monitor);
EXPORT struct udev_monitor *udev_monitor_unref(struct udev_monitor *monitor);
EXPORT struct udev *udev_monitor_get_udev(struct udev_monitor *monitor);
EXPORT struct udev_monitor *udev_monitor_new_from_netlink(struct udev *udev, const char *name);
EXPORT int udev_monitor_enable_receiving(struct udev_monitor *monitor);
EXPORT int udev_monitor_set_receive_buffer_size(struct udev_monitor *monitor, int size);
EXPORT int udev_monitor_get_fd(struct udev_monitor *monitor);
EXPORT struct udev_device *udev_monitor_receive_device(struct udev_monitor *monitor);
EXPORT int udev_monitor_filter_add_match_subsystem_devtype(struct udev_monitor *monitor, const char *subsystem, const char *type);
EXPORT int udev_monitor_filter_add_match_tag(struct udev_monitor *monitor, const char *tag);
EXPORT int udev_monitor_filter_update(struct udev_monitor *monitor);
EXPORT int udev_monitor_filter_remove(struct udev_monitor *monitor);

EXPORT struct udev_enumerate *udev_enumerate_ref(struct udev_enumerate *all);
EXPORT struct udev_enumerate *udev_enumerate_unref(struct udev_enumerate *all);
EXPORT struct udev *udev_enumerate_get_udev(struct udev_enumerate *all);
EXPORT struct udev_enumerate *udev_enumerate_new(struct udev *udev);
EXPORT int udev_enumerate_add_match_subsystem(struct udev_enumerate *all, const char *subsystem);
EXPORT int udev_enumerate_add_nomatch_subsystem(struct udev_enumerate *all, const char *subsystem);
EXPORT int udev_enumerate_add_match_sysattr(struct udev_enumerate *all, const char *name, const char *value);
EXPORT int udev_enumerate_add_nomatch_sysattr(struct udev_enumerate *all, const char *name, const char *value);
EXPORT int udev_enumerate_add_match_property(struct udev_enumerate *all, const char *name, const char *value);
EXPORT int udev_enumerate_add_match_sysname(struct udev_enumerate *all, const char *name);
EXPORT int udev_enumerate_add_match_tag(struct udev_enumerate *all, const char *tag);
EXPORT int udev_enumerate_add_match_parent(struct udev_enumerate *all, struct udev_device *parent);
EXPORT int udev_enumerate_add_match_is_initialized(struct udev_enumerate *all);
EXPORT int udev_enumerate_add_syspath(struct udev_enumerate *all, const char *path);
EXPORT int udev_enumerate_scan_devices(struct udev_enumerate *all);
EXPORT int udev_enumerate_scan_subsystems(struct udev_enumerate *all);
EXPORT struct udev_list_entry *udev_enumerate_get_list_entry(struct udev_enumerate *all);

#endif
