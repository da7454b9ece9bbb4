/* The import of definitions: what its files share, and only they. Thread: the main thread. */
#ifndef LEVERET_ADMIN_IMPORT_H
#define LEVERET_ADMIN_IMPORT_H

#include "admin/definitions/exporting.h"
#include "admin/definitions/problems.h"
#include "admin/json/form.h"
#include "admin/listing/gather.h"
#include "leveret/base/map.h"
#include "leveret/broker/queue_type.h"

/* Entries that are checked or stored in one turn of the loop; the next ones follow in the next
 * turn. */
#define IMPORT_PORTION 256u
/* The lists of a file, in the order in which they are checked. */
enum import_kind {
    KIND_USERS,
    KIND_VHOSTS,
    KIND_PERMISSIONS,
    KIND_TOPIC_PERMISSIONS,
    KIND_GLOBAL_PARAMETERS,
    KIND_PARAMETERS,
    KIND_POLICIES,
    KIND_EXCHANGES,
    KIND_QUEUES,
    KIND_BINDINGS,
    KIND_COUNT
};
/* Their keys; then NULL. */
extern const char *const import_kinds[KIND_COUNT + 1];

/* The lists of a file whose entries become commands to a vhost, in the order in which that is done:
 * policies apply to queues from their first moment, and bindings find their ends. */
enum import_step {
    STEP_POLICIES,
    STEP_PARAMETERS, /* of these the operator policies */
    STEP_EXCHANGES,
    STEP_QUEUES,
    STEP_BINDINGS,
    STEP_COUNT
};

/* No number of an import_place: the entry is passed over. */
#define NO_PLACE UINT32_MAX
/* One of these lists. */
struct import_list {
    const struct value *list; /* NULL: the file does not have it */
    uint32_t count;
    uint32_t *place;  /* of each entry: the number of its vhost, or NO_PLACE */
    uint32_t *order;  /* the entries that have a place, sorted by it */
    uint32_t *starts; /* of each place: where its entries begin in order; then the end */
};

/* A vhost that the file's entries name. */
struct import_place {
    struct bytes name; /* zero-ended */
    uint32_t number;
    bool exists;                        /* true when the broker has it already */
    enum queue_type default_queue_type; /* that it will have once the import is done */
};

/* An exchange or a queue that the file has or that a binding names. */
struct import_object {
    struct bytes name;
    uint32_t place;
    bool exchange; /* false: it is a queue */
    bool in_file;  /* true once an entry of the file was read that declares it */
    bool found;    /* true when it is in the file, or in the vhost already: it can be bound */
    struct bytes type, arguments; /* of an exchange that was found */
    struct bytes said;            /* the fields of its entry, to compare a second entry with */
};

/* Channels of the link to a vhost; each has one command under way at a time. */
#define IMPORT_CHANNELS 256u
/* What is under way on that link: import_vhost.c. */
struct import_link {
    uint32_t place;
    enum import_step step;
    uint32_t at;     /* in the list's order: the entry that comes next */
    unsigned waited; /* commands under way */
    bool opened[IMPORT_CHANNELS + 1], busy[IMPORT_CHANNELS + 1];
    uint32_t entry[IMPORT_CHANNELS + 1]; /* the index of the entry that a channel is busy with */
};

/* What a dry run knows: import_preview.c. */
struct import_preview {
    bool on; /* true: nothing is to be changed */
    struct exporting exporting;
    bool judging;     /* true: the section's entries are judged; false: those there are learnt */
    struct map there; /* the section's entries that are there, by what makes them the same */
    struct text key;
    uint32_t created[KIND_COUNT], changed[KIND_COUNT], unchanged[KIND_COUNT];
    struct problems changes, conflicts;
};

struct import {
    struct bytes only;     /* the vhost that all entries are for; at is NULL: each names its own */
    const char *hashing;   /* the algorithm of password hashes that do not say it; NULL: today's */
    bool strict;           /* true: what would be left out is refused */
    struct problems wrong; /* entries that the check refuses */
    struct problems left_out;  /* what is not carried out because it is not known or not missed */
    struct problems failed;    /* entries that could not be carried out */
    uint32_t done[KIND_COUNT]; /* how many entries of each kind are carried out */
    uint32_t all;              /* how many entries there are to be carried out */
    struct arena arena;
    struct map users, vhosts; /* the names in the file; a vhost's leads to its entry */
    struct map places_by_name;
    struct import_place **places;
    uint32_t place_count, place_room;
    struct map objects;           /* struct import_object by kind, place and name */
    struct import_object **asked; /* those that the vhosts' owners are asked for */
    uint32_t asked_count, asked_room, asked_at;
    struct import_list lists[STEP_COUNT];
    /* How far import_check.c or import_directory.c is: the list, and the entry in it. */
    unsigned section;
    uint32_t at;
    struct import_link link;
    struct import_preview preview;
    struct value *file; /* of a dry run: the request's JSON, once its place was needed; or NULL */
};

/* The kinds of the steps' entries, and the keys of their lists. */
extern const enum import_kind import_step_kinds[STEP_COUNT];
const char *import_step_key(enum import_step step);

/* Each notes a problem with an entry of a list: its index there or NO_INDEX, its name and its vhost
 * unless their at is NULL, and why. The file is refused for what is wrong; what is left out is
 * told, or refused when the import is strict; what failed is told at the end. (import_answer.c) */
void import_wrong(struct request *r, const char *list, uint32_t index, struct bytes name,
                  struct bytes vhost, const char *why);
void import_left_out(struct request *r, const char *list, uint32_t index, struct bytes name,
                     struct bytes vhost, const char *why);
void import_failed(struct request *r, const char *list, uint32_t index, struct bytes name,
                   struct bytes vhost, const char *why);

/* Returns true when something of this name, which is not known here, may restrict: it must not be
 * left out. (import_keys.c) */
bool import_restricts(const char *name);
/* Returns true when entries of the kind may have a key. (import_keys.c) */
bool import_knows_key(enum import_kind kind, const char *key);
/* Checks that all keys of an entry, or of the file, are known. (import_keys.c) */
void import_check_keys(struct request *r, enum import_kind kind, const struct value *entry,
                       uint32_t index);
void import_check_file_keys(struct request *r);

/* Makes the command that an entry of a list stands for. It has views into the JSON and into *table,
 * which the caller frees in any case. Returns false when the entry is wrong; why then says so. */
bool import_command(enum import_step step, const struct value *entry, struct command *out,
                    struct text *table, char why[FORM_WRONG_BYTES_MAX]);
/* Returns true when the entry is passed over, here and in RabbitMQ: the default exchange, exchanges
 * called amq.*, which are there already, the default exchange's bindings, and queues called amq.*
 * that were not named by the server. */
bool import_passes_over(enum import_step step, const struct command *command);

/* The exchange or queue of that name in a vhost; it is added when it is not known yet.
 * (import_check.c) */
struct import_object *import_object_of(struct import *i, bool exchange, uint32_t place,
                                       struct bytes name);

/* The parts of an import: each goes on with the next one, or answers. Checks all entries
 * (import_check.c); checks bindings by their ends, and refuses the file if anything is wrong
 * (import_bindings.c); stores users, vhosts, limits and permissions (import_directory.c); sends
 * each vhost its commands (import_vhost.c). */
void import_check(struct request *r);
void import_bindings(struct request *r);
void import_directory(struct request *r);
void import_vhosts(struct request *r);
/* Returns true when the check has found what refuses the whole file. (import_answer.c) */
bool import_is_refused(const struct import *i);
/* Answers with what the import would change (import_preview.c). */
void import_preview(struct request *r);
void import_preview_free(struct import *i);
/* Answers 400 with what is wrong in the file. (import_answer.c) */
void import_refuse(struct request *r);
/* Answers with what was carried out, and what was not. (import_answer.c) */
void import_end(struct request *r);
/* Write into an answer the counts that are not 0, by kind, and what was left out, if anything was.
 * (import_answer.c) */
void import_write_counts(struct answer *answer, const char *key, const uint32_t counts[KIND_COUNT]);
void import_write_left_out(struct answer *answer, const struct import *i);

#endif
