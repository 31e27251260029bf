/* Updates the readiness of a node for poll and for waiting threads. The caller holds node->lock. */
#include "preload.h"

void nothing_to_reap(struct node *n)
{
    if (n->pipe_read >= 0) /* without a reader, the write would raise SIGPIPE; the closed read end already signals the unplug */
        (void)!syscall(SYS_write, n->pipe_write, "", (size_t)1);
}

void something_to_reap(struct node *n)
{
    char byte;
    if (n->pipe_read >= 0)
        (void)!syscall(SYS_read, n->pipe_read, &byte, (size_t)1);
}

void wait_for_change(struct node *n)
{
    n->waiters++;
    pthread_cond_wait(&n->changed, &n->lock);
    n->waiters--;
}

void announce(struct node *n)
{
    if (n->waiters > 0)
        pthread_cond_broadcast(&n->changed);
}
