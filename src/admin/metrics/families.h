/* The families of metrics that have a line for each queue, exchange, connection or channel, in the
 * order in which they are written. Names, labels and groups are RabbitMQ's. Thread: any. */
#ifndef LEVERET_ADMIN_FAMILIES_H
#define LEVERET_ADMIN_FAMILIES_H

#include "admin/listing/gather.h"
#include "admin/metrics/exposition.h"

enum family_object {
    FAMILY_QUEUE,
    FAMILY_EXCHANGE,
    FAMILY_CHANNEL,
    FAMILY_CONNECTION,
    FAMILY_OBJECTS
};

/* What stands in a family's single line on /metrics, in place of a line for each object. */
enum family_sum {
    SUM_NONE,    /* the family is not there */
    SUM_OBJECTS, /* the sum over all objects there are */
    SUM_TOTAL,   /* a number of struct totals; counts in it do not fall when an object goes */
};

/* Labels behind those that all families of an object have. */
enum family_labels {
    LABELS_PLAIN,
    LABELS_TYPE,        /* an exchange's type */
    LABELS_QUEUE_TYPE,  /* queue_type and membership */
    LABELS_QUEUE_VHOST, /* queue_vhost */
};

struct family {
    enum family_object object;
    enum family_sum sum;
    enum family_labels labels;
    /* What the query's family= calls it: one of two groups. The second may be NULL. */
    const char *group, *other_group;
    struct metric metric; /* its name without "rabbitmq_" */
    /* The value is that of type uint64_t in the object's info at this offset, and the one at
     * `added`, if that is not 0. value, if it is not NULL, works it out instead. */
    size_t offset, added;
    uint64_t (*value)(const void *info);
    size_t total; /* of the value in struct totals, for SUM_TOTAL */
    /* true: the value is the queue's consumer capacity, a real number */
    bool capacity;
    /* true: it is on /metrics/detailed alone, and begins with "rabbitmq_cluster_" there */
    bool of_cluster;
};

#define FAMILIES_MAX 80u
/* Returns the table and its length, which is at most FAMILIES_MAX. Families of one object stand
 * together. */
const struct family *families(size_t *count);
uint64_t family_value(const struct family *family, const void *info);

/* How the objects of a family are gathered: with no more than names and numbers. */
const struct gather_kind *family_gather(enum family_object object);

#endif
