/* The account of memory, and the alarms "memory" and "disk". A node has one struct alarms.
 *
 * Thread: the main thread, but alarms_account may be called on any. */
#ifndef LEVERET_HOST_ALARMS_H
#define LEVERET_HOST_ALARMS_H

#include "leveret/base/account.h"
#include "leveret/base/log.h"
#include "leveret/host/node.h"
#include "leveret/runtime/loop.h"

struct alarms_options {
    struct node *node;
    const char *name, *data_dir; /* not copied; data_dir NULL: there is no disk to watch */
    struct log *log;
    uint64_t memory_bytes_max, disk_free_bytes_min; /* as node_options */
};

struct alarms;

struct alarms *alarms_new(const struct alarms_options *options);
/* Starts to look at memory and disk on the main loop. */
void alarms_watch(struct alarms *alarms, struct loop *main_loop);
/* Ends that. alarms_free must not follow before everybody has stopped asking for the alarms. */
void alarms_stop(struct alarms *alarms);
void alarms_free(struct alarms **alarms);

struct account *alarms_account(const struct alarms *alarms);
/* New watermarks; they take effect at once. */
void alarms_set_limits(struct alarms *alarms, uint64_t memory_bytes_max,
                       uint64_t disk_free_bytes_min);

#endif
