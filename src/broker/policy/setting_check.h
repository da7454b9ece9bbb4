/* Checks of single settings, for the table of setting.c. Thread: any; no state. */
#ifndef BROKER_SETTING_CHECK_H
#define BROKER_SETTING_CHECK_H

#include "leveret/wire/table.h"

/* Bytes of an explanation with its zero; a longer one is cut. */
#define SETTING_WHY_MAX 128

/* Whether a setting can have the value. If not, writes RabbitMQ's explanation into why; checks for
 * policies alone write none. */
typedef bool setting_check(const struct field *field, char why[SETTING_WHY_MAX]);

/* Numbers. */
setting_check setting_check_not_negative, setting_check_duration, setting_check_duration_not_zero,
    setting_check_integer, setting_check_priority, setting_check_group_size,
    setting_check_filter_size;
/* Texts and words. */
setting_check setting_check_string, setting_check_routing_key, setting_check_overflow,
    setting_check_queue_type, setting_check_dead_letter_strategy;
setting_check setting_check_boolean;
/* x-cache-size, x-cache-ttl: dedup_arguments.h. */
setting_check setting_check_cache_bound;
/* Accepts any value: it is checked elsewhere, or not at all. */
setting_check setting_check_any;
/* x-queue-leader-locator. */
setting_check setting_check_leader_locator;
/* For policies alone. */
setting_check setting_check_positive, setting_check_version, setting_check_age,
    setting_check_master_locator, setting_check_mirrors, setting_check_synchronisation,
    setting_check_promotion, setting_check_queue_mode;
/* Accepts "disabled" alone; accepts no value. */
setting_check setting_check_no_retry, setting_check_never;

/* Words in the order of their enums (overflow; false and true of at_least_once; queue_type),
 * followed by NULL. */
extern const char *const setting_overflow_words[];
extern const char *const setting_strategy_words[];
extern const char *const setting_type_words[];
/* The index of a string in such a list, or -1. */
int setting_word(const struct field *field, const char *const *words);

#endif
