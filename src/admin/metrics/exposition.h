/* The text in which Prometheus reads metrics: its own format (0.0.4), or OpenMetrics (1.0.0), which
 * differs in the names of counters' families, the words for some types, and its end. Thread: one at
 * a time. */
#ifndef LEVERET_ADMIN_EXPOSITION_H
#define LEVERET_ADMIN_EXPOSITION_H

#include <stdbool.h>

#include "leveret/base/text.h"

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM, METRIC_SUMMARY, METRIC_INFO };

/* A family of samples, and the name that its samples have. The name of a counter ends with
 * "_total", the name of an info with "_info". */
struct metric {
    const char *name;
    enum metric_type type;
    const char *help; /* one line, without quotes and backslashes */
};

/* An empty exposition is all zeros. */
struct exposition {
    struct text text;
    bool open;          /* true: OpenMetrics */
    const char *prefix; /* in front of the name of each family; NULL: nothing is */
};

const char *exposition_content_type(const struct exposition *out);
/* Returns true when a client that sends this field Accept (NULL: none) gets OpenMetrics. */
bool exposition_is_open(const char *accept);

/* Begins a family: its samples follow, and no other family's between them. */
void exposition_family(struct exposition *out, const struct metric *metric);
/* Writes a sample of the family; labels: "" or "{name=\"value\"}", with values that need no
 * escaping. */
void exposition_sample(struct exposition *out, const struct metric *metric, const char *labels,
                       uint64_t value);
/* Begins a line: the prefix, name and suffix ("_sum"; "": none). The caller goes on with labels and
 * a value. */
void exposition_name(struct exposition *out, const char *name, const char *suffix);
/* Writes a label's value, escaped; bytes that are no UTF-8 become U+FFFD. */
void exposition_label(struct exposition *out, struct bytes value);
/* Ends a line that has its labels: a space, the value, a line end. */
void exposition_value(struct exposition *out, uint64_t value);
void exposition_real(struct exposition *out, double value);
/* Writes a family with one sample. */
void exposition_one(struct exposition *out, const char *name, enum metric_type type,
                    const char *help, uint64_t value);
void exposition_one_real(struct exposition *out, const char *name, enum metric_type type,
                         const char *help, double value);
/* The bound of a histogram's bucket as the format writes it: "100", in OpenMetrics "100.0". */
void exposition_bound(struct exposition *out, uint64_t bound);
/* Ends the text. */
void exposition_end(struct exposition *out);

#endif
