/* What host/ shares of the node. */
#ifndef LEVERET_HOST_NODE_INTERNAL_H
#define LEVERET_HOST_NODE_INTERNAL_H

#include "home.h"

/* The home of a vhost, or NULL. Any thread; a home lives as long as the node. */
struct home *node_find_home(struct node *node, struct bytes name);

/* Calls each() for all homes, under the node's lock. Any thread. */
void node_each_home(struct node *node, void (*each)(struct home *home));

/* ---- announce.c: what node_announce needs; announce_open takes the log's lines. */
struct announcer;
struct announcer *announcer_new(struct node *node, struct log *log);
void announcer_free(struct announcer **announcer);
struct announcer *node_announcer(const struct node *node);
const char *node_announce_vhost(const struct node *node);

/* ---- data_dir.c: the data directory.
 *
 * Layout: lock, format, made (made.c), node/ (users, vhosts, permissions), vhosts/<name>/ (a
 * journal each; the name percent-encoded). */
struct data_dir;
/* Makes or opens it, locks it, checks its format version. Errors: LOCKED, VERSION, IO, NO_SPACE. */
MUST_USE enum status data_dir_open(const char *path, struct data_dir **out, char **error);
void data_dir_close(struct data_dir **dir);
const char *data_dir_path(const struct data_dir *dir);
/* The path of the node's own store and of a vhost's journal; the caller frees. */
char *data_dir_node_path(const struct data_dir *dir);
/* Removes a closed vhost's directory. It is renamed first, and that is synced: from then on its
 * data are gone, whatever happens, and the next data_dir_open removes what a crash has left of it.
 * Errors: IO, NO_SPACE: the data may still be there. */
MUST_USE enum status data_dir_remove_vhost(const char *path);
char *data_dir_vhost_path(const struct data_dir *dir, struct bytes vhost);

/* ---- alarm.c: the account of memory, and the alarms. */
struct alarms_options {
    struct node *node;
    const char *name, *data_dir; /* not copied; data_dir NULL: there is no disk to watch */
    struct log *log;
    uint64_t memory_bytes_max, disk_free_bytes_min;
};
struct alarms;
struct alarms *alarms_new(const struct alarms_options *options);
/* Ends the watching, on the main thread; alarms_free follows when nobody can ask any more. */
void alarms_stop(struct alarms *alarms);
void alarms_free(struct alarms **alarms);
struct account *alarms_account(const struct alarms *alarms);
/* Main thread. */
void alarms_set_limits(struct alarms *alarms, uint64_t memory_bytes_max,
                       uint64_t disk_free_bytes_min);
void alarms_watch(struct alarms *alarms, struct loop *main_loop);
struct alarms *node_alarms_of(const struct node *node);

/* ---- made.c: whether the directory was filled before. */
bool data_dir_was_filled(const char *data_dir);
/* Remembers that it was. Errors: IO, NO_SPACE. */
MUST_USE enum status data_dir_mark_filled(const char *data_dir);
/* Whether node/ is there if it was. Errors: CORRUPT, with a sentence in *error (free it). */
MUST_USE enum status data_dir_check_node(const char *data_dir, char **error);

/* Whether a vhost is down. Any thread. */
bool node_any_down(struct node *node);

/* ---- reopen.c: vhosts that are down for what may pass (a full disk, an I/O error, no memory) are
 * tried again by themselves. The main loop. */
struct reopener;
struct reopener *reopener_new(struct node *node, struct auth *auth, struct loop *main_loop);
void reopener_free(struct reopener **reopener);

/* ---- watch.c: memory and disk. */
struct resources {
    uint64_t memory_bytes; /* resident set of this process, but what is mapped from files */
    uint64_t
        disk_free_bytes; /* for an unprivileged writer; UINT64_MAX when there is no directory */
};
void resources_read(const char *data_dir, struct resources *out);

#endif
