/* The import of definitions: what its files share. Thread: the main thread. */
#ifndef LEVERET_ADMIN_IMPORT_H
#define LEVERET_ADMIN_IMPORT_H

#include "admin/json/form.h"
#include "admin/listing/gather.h"
#include "leveret/base/map.h"
#include "leveret/broker/queue_type.h"

/* Entries looked at or stored in one turn of the loop; then others are served. */
#define IMPORT_PORTION 256u
/* Of a long list of what is wrong, so many are told and the rest counted. */
#define PROBLEMS_TOLD 10u

/* What is wrong with entries: "queues[3] 'q' in vhost 'v': why", one after the other. */
struct problems {
    struct text text;
    size_t count;
};

/* The lists whose entries become commands to a vhost, in the order in which that is done: policies
 * apply from the first moment, bindings find their ends. */
enum import_step {
    STEP_POLICIES,
    STEP_PARAMETERS, /* operator policies among them */
    STEP_EXCHANGES,
    STEP_QUEUES,
    STEP_BINDINGS,
    STEP_COUNT
};

#define NO_PLACE UINT32_MAX
/* One list of them. */
struct import_list {
    const struct value *list; /* NULL: there is none */
    uint32_t count;
    uint32_t *place;  /* for each entry its vhost's number; NO_PLACE: it is passed over */
    uint32_t *order;  /* the entries that are not passed over, by vhost */
    uint32_t *starts; /* for each vhost where its own begin in order, and the end */
};

/* A vhost that entries name. */
struct import_place {
    struct bytes name; /* zero-ended */
    uint32_t number;
    bool exists;                        /* true: it is here already */
    enum queue_type default_queue_type; /* once the file's vhosts are there */
};

/* An exchange or a queue that the file has or that a binding names. */
struct import_object {
    struct bytes name;
    uint32_t place;
    bool exchange, in_file;
    bool found;                   /* true: in the file and not passed over, or there already */
    struct bytes type, arguments; /* of an exchange */
    struct bytes said;            /* what the file's entry says: its fields, to find another */
};

/* What is under way on the link to a vhost: import_vhost.c. */
#define IMPORT_CHANNELS 256u
struct import_link {
    uint32_t place;
    enum import_step step;
    uint32_t at;     /* in the list's order */
    unsigned waited; /* commands under way */
    bool opened[IMPORT_CHANNELS + 1], busy[IMPORT_CHANNELS + 1];
    uint32_t entry[IMPORT_CHANNELS + 1]; /* which of the list a channel is busy with */
};

struct import {
    struct bytes only;   /* the one vhost that the file is for; at is NULL: it names vhosts */
    const char *hashing; /* of password hashes that do not say; NULL: today's */
    struct problems wrong, passed, failed;
    uint32_t done, all; /* entries carried out, and in all */
    struct arena arena;
    struct map users, vhosts; /* names that the file has; of vhosts to their entries */
    struct map places_by_name;
    struct import_place **places;
    uint32_t place_count, place_room;
    struct map objects; /* by kind, place and name */
    struct import_object **asked;
    uint32_t asked_count, asked_room, asked_at;
    struct import_list lists[STEP_COUNT];
    unsigned section; /* of import_check.c and import_directory.c: which list, and where in it */
    uint32_t at;
    struct import_link link;
};

extern const char *const import_keys[STEP_COUNT];

/* Adds a problem: path "queues[3]", with the name and vhost when at is not NULL. */
void import_problem(struct problems *problems, const char *list, uint32_t index, struct bytes name,
                    struct bytes vhost, const char *why);

/* The command that an entry of a list stands for. *table is set and to be freed; the command has
 * views into it and into the JSON. False: *why says why not, zero-ended, not to be freed. */
bool import_command(enum import_step step, const struct value *entry, struct command *out,
                    struct text *table, char why[FORM_WRONG_BYTES_MAX]);
/* Whether RabbitMQ and we pass the entry over: the default exchange and amq.* exchanges, which are
 * there, default bindings, amq.* queues but for those that the server named. */
bool import_passes_over(enum import_step step, const struct command *command);

/* Checks the whole file (import_check.c), then carries it out: users, vhosts, permissions
 * (import_directory.c), what is in vhosts (import_vhost.c). Each calls the next one. */
void import_check(struct request *r);
void import_directory(struct request *r);
void import_vhosts(struct request *r);
/* Answers. */
void import_refuse(struct request *r);
void import_end(struct request *r);

#endif
