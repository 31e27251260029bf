/* The URBs of a node. The caller holds node->lock. */
#include "preload.h"

struct pending *new_pending(struct node *n)
{
    struct pending *p = n->free_list;
    if (p) {
        n->free_list = p->next;
    } else {
        if (n->slot_count == n->slot_capacity) {
            unsigned capacity = n->slot_capacity ? n->slot_capacity * 2 : 64;
            if (capacity > MAX_SLOTS)
                return NULL;
            struct pending **slots = realloc(n->slots, capacity * sizeof *slots);
            if (!slots)
                return NULL;
            n->slots = slots;
            n->slot_capacity = capacity;
        }
        p = calloc(1, sizeof *p);
        if (!p)
            return NULL;
        p->slot = (uint16_t)n->slot_count;
        n->slots[n->slot_count++] = p;
    }
    uint16_t slot = p->slot, generation = (uint16_t)((p->generation % 0x7fff) + 1);
    memset(p, 0, sizeof *p);
    p->slot = slot;
    p->generation = generation;
    p->sequence = (uint32_t)generation << 16 | slot;
    return p;
}

void free_pending(struct node *n, struct pending *p)
{
    p->sequence = 0;
    p->next = n->free_list;
    n->free_list = p;
}

struct pending *find_in_flight(struct node *n, uint32_t sequence)
{
    unsigned slot = sequence & 0xffff;
    struct pending *p = slot < n->slot_count ? n->slots[slot] : NULL;
    return p && p->sequence == sequence && p->in_flight ? p : NULL;
}

void into_flight(struct node *n, struct pending *p)
{
    p->in_flight = true;
    p->next = NULL;
    p->previous = n->flying_tail;
    if (n->flying_tail)
        n->flying_tail->next = p;
    else
        n->flying = p;
    n->flying_tail = p;
}

static void out_of_flight(struct node *n, struct pending *p)
{
    if (p->previous)
        p->previous->next = p->next;
    else
        n->flying = p->next;
    if (p->next)
        p->next->previous = p->previous;
    else
        n->flying_tail = p->previous;
    p->in_flight = false;
    p->previous = p->next = NULL;
}

void complete(struct node *n, struct pending *p, int status)
{
    out_of_flight(n, p);
    p->status = p->unlinked ? -ENOENT : status; /* as in the kernel, the first reason for the cancellation determines the status */
    p->done = true;
    if (!p->own) {
        p->next = NULL;
        if (n->done_tail)
            n->done_tail->next = p;
        else
            n->done = p;
        n->done_tail = p;
        if (n->done == p)
            something_to_reap(n);
    }
    announce(n);
}
