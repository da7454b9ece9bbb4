/* Part of metrics: the labels of lines that tell of one object, under RabbitMQ's names. Thread: the
 * main thread. */
#ifndef LEVERET_ADMIN_OBJECT_LABELS_H
#define LEVERET_ADMIN_OBJECT_LABELS_H

#include "admin/metrics/families.h"

/* Writes the labels that all families of the object have: vhost="/",queue="q". */
void object_labels(struct exposition *out, enum family_object object, const struct row *row);
/* Writes those of some families behind them, with a comma before each. */
void object_more_labels(struct exposition *out, enum family_labels labels, const struct row *row);

#endif
