/* Reading a device node. */
#include "preload.h"

/* Reads the descriptors of the node's device: the device descriptor, followed by all configurations. */
ssize_t read_descriptors(struct node *n, void *buffer, size_t count, off_t *position)
{
    ssize_t result;
    pthread_mutex_lock(&n->lock);
    if (*position < 0) {
        result = fail(EINVAL);
    } else if (n->gone) {
        result = fail(ENODEV);
    } else if (*position >= (off_t)n->descriptors_length) {
        result = 0;
    } else {
        size_t rest = n->descriptors_length - (size_t)*position;
        size_t part = count < rest ? count : rest;
        memcpy(buffer, n->descriptors + *position, part);
        *position += (off_t)part;
        result = (ssize_t)part;
    }
    pthread_mutex_unlock(&n->lock);
    return result;
}

off_t seek(struct node *n, off_t offset, int whence)
{
    pthread_mutex_lock(&n->lock);
    off_t base = whence == SEEK_CUR ? n->position : 0;
    off_t result;
    if ((whence != SEEK_SET && whence != SEEK_CUR) || base + offset < 0)
        result = fail(EINVAL);
    else
        result = n->position = base + offset;
    pthread_mutex_unlock(&n->lock);
    return result;
}
