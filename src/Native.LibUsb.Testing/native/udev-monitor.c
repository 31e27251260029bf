/* udev monitors: the events of the bus. */
#include "udev.h"

enum { MOST_EVENT = 8192 };

struct udev_monitor *udev_monitor_new_from_netlink(struct udev *udev, const char *name)
{
    TO_LIBUDEV(udev, NULL, udev_monitor_new_from_netlink, udev, name);
    struct udev_monitor *m = new_object(sizeof *m);
    if (!m)
        return NULL;
    m->fd = open_events();
    if (m->fd < 0) {
        free(m);
        return NULL;
    }
    syscall(SYS_fcntl, m->fd, F_SETFL, O_NONBLOCK);
    m->udev = udev_ref(udev);
    return m;
}

struct udev_monitor *udev_monitor_ref(struct udev_monitor *monitor)
{
    TO_LIBUDEV(monitor, NULL, udev_monitor_ref, monitor);
    return reference(monitor);
}

struct udev_monitor *udev_monitor_unref(struct udev_monitor *monitor)
{
    TO_LIBUDEV(monitor, NULL, udev_monitor_unref, monitor);
    if (dereferenced(monitor)) {
        close_own(monitor->fd);
        monitor->object.mark = UDEV_MARK; /* without the mark, this public function would call libudev */
        udev_monitor_filter_remove(monitor);
        monitor->object.mark = 0;
        udev_unref(monitor->udev);
        free(monitor);
    }
    return NULL;
}

struct udev *udev_monitor_get_udev(struct udev_monitor *monitor)
{
    TO_LIBUDEV(monitor, NULL, udev_monitor_get_udev, monitor);
    return monitor->udev;
}

int udev_monitor_enable_receiving(struct udev_monitor *monitor)
{
    TO_LIBUDEV(monitor, -ENOSYS, udev_monitor_enable_receiving, monitor);
    monitor->receiving = true;
    return 0;
}

int udev_monitor_set_receive_buffer_size(struct udev_monitor *monitor, int size)
{
    TO_LIBUDEV(monitor, -ENOSYS, udev_monitor_set_receive_buffer_size, monitor, size);
    return 0;
}

int udev_monitor_get_fd(struct udev_monitor *monitor)
{
    TO_LIBUDEV(monitor, -ENOSYS, udev_monitor_get_fd, monitor);
    return monitor->fd;
}

static bool passes(const struct udev_monitor *m, struct udev_device *d)
{
    const char *subsystem = udev_device_get_subsystem(d), *type = udev_device_get_devtype(d);
    if (!m->filters)
        return true;
    for (struct udev_filter *f = m->filters; f; f = f->next)
        if (f->subsystem && subsystem && !strcmp(f->subsystem, subsystem) && (!f->type || (type && !strcmp(f->type, type))))
            return true;
    return false;
}

struct udev_device *udev_monitor_receive_device(struct udev_monitor *monitor)
{
    char event[MOST_EVENT];
    TO_LIBUDEV(monitor, NULL, udev_monitor_receive_device, monitor);
    for (ssize_t length; (length = receive_event(monitor->fd, event, sizeof event)) > 0;) {
        struct udev_device *d = device_of_event(monitor->udev, event, (size_t)length);
        if (d && monitor->receiving && passes(monitor, d))
            return d;
        if (d)
            udev_device_unref(d);
    }
    return NULL;
}

int udev_monitor_filter_add_match_subsystem_devtype(struct udev_monitor *monitor, const char *subsystem, const char *type)
{
    TO_LIBUDEV(monitor, -ENOSYS, udev_monitor_filter_add_match_subsystem_devtype, monitor, subsystem, type);
    struct udev_filter *f = calloc(1, sizeof *f);
    if (!f)
        return -ENOMEM;
    f->subsystem = subsystem ? strdup(subsystem) : NULL;
    f->type = type ? strdup(type) : NULL;
    f->next = monitor->filters;
    monitor->filters = f;
    return 0;
}

/* The bus has no tags, so no device passes such a filter. */
int udev_monitor_filter_add_match_tag(struct udev_monitor *monitor, const char *tag)
{
    TO_LIBUDEV(monitor, -ENOSYS, udev_monitor_filter_add_match_tag, monitor, tag);
    return udev_monitor_filter_add_match_subsystem_devtype(monitor, NULL, NULL);
}

int udev_monitor_filter_update(struct udev_monitor *monitor)
{
    TO_LIBUDEV(monitor, -ENOSYS, udev_monitor_filter_update, monitor);
    return 0;
}

int udev_monitor_filter_remove(struct udev_monitor *monitor)
{
    TO_LIBUDEV(monitor, -ENOSYS, udev_monitor_filter_remove, monitor);
    while (monitor->filters) {
        struct udev_filter *f = monitor->filters;
        monitor->filters = f->next;
        free(f->subsystem);
        free(f->type);
        free(f);
    }
    return 0;
}
