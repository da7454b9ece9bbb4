/* What an export gathers and writes: for the export itself, and for an import that only says what
 * it would change. Thread: the main thread. */
#ifndef LEVERET_ADMIN_EXPORTING_H
#define LEVERET_ADMIN_EXPORTING_H

#include "admin/json/answer.h"
#include "admin/listing/gather.h"

enum part {
    PART_POLICIES,
    PART_OPERATOR_POLICIES,
    PART_QUEUES,
    PART_EXCHANGES,
    PART_BINDINGS,
    PART_COUNT
};

struct exporting {
    struct gather parts[PART_COUNT];
    /* Set by the caller. */
    bool one_vhost; /* true: only what is in vhost is exported */
    struct bytes vhost;
    void (*done)(struct request *request, struct exporting *exporting); /* all is gathered */
};

/* Gathers what is in vhosts, then calls done. It must live as long as request->work. */
void exporting_gather(struct request *request, struct exporting *exporting);
/* Writes the definitions, the directory's included, as one object. */
void exporting_write(struct request *request, const struct exporting *exporting,
                     struct answer *answer);
/* Frees what was gathered. */
void exporting_end(struct exporting *exporting);

#endif
