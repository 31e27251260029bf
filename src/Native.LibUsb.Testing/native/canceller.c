/* Implements the thread that sends unlink requests on behalf of the receiver.
 *
 * The receiver detects URBs that must be unlinked, but it must not send the unlink requests itself. The bus may be blocked until the receiver reads
 * the bus's messages. If the receiver were blocked in a send at that time, neither side could continue. For the same reason, the receiver must not
 * wait for send_lock, which a sending thread may hold. */
#include "preload.h"

static struct pending *first_due(struct node *n)
{
    struct pending *p = n->flying;
    while (p && !p->unlink_due)
        p = p->next;
    return p;
}

static void *run(void *argument)
{
    struct node *n = argument;
    pthread_mutex_lock(&n->lock);
    while (!n->gone) {
        struct pending *p = first_due(n);
        if (!p) {
            pthread_cond_wait(&n->cancelling, &n->lock);
            continue;
        }
        p->unlink_due = false;
        uint32_t unlink_sequence = p->unlink_sequence, sequence = p->sequence;
        pthread_mutex_unlock(&n->lock);
        send_unlink(n, unlink_sequence, sequence);
        pthread_mutex_lock(&n->lock);
    }
    pthread_mutex_unlock(&n->lock);
    return NULL;
}

/* Schedules an unlink request for a URB in flight. Returns false if the canceller cannot be started. The caller holds node->lock. */
bool cancel_later(struct node *n, struct pending *p)
{
    if (p->unlinked)
        return true;
    if (!n->cancels && start_thread(&n->canceller, run, n, "usbfs-canceller") != 0)
        return false;
    n->cancels = true;
    p->unlinked = p->unlink_due = true;
    p->unlink_sequence = private_sequence(n);
    pthread_cond_signal(&n->cancelling);
    return true;
}
