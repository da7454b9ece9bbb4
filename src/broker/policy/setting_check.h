/* Checks of single settings, for the table of settings.c. Any thread; no state. */
#ifndef BROKER_SETTING_CHECK_H
#define BROKER_SETTING_CHECK_H

#include "leveret/wire/table.h"

#define SETTING_WHY_MAX 128

/* Whether a setting can have the value. If not, what is wrong with it is in why, in the words in
 * which RabbitMQ explains an argument; those of policies only leave it as it is. */
typedef bool setting_check(const struct field *field, char why[SETTING_WHY_MAX]);

/* Numbers. */
setting_check check_not_negative, check_duration, check_duration_not_zero, check_integer,
    check_priority, check_group_size, check_filter_size;
/* Texts and words. */
setting_check check_string, check_routing_key, check_overflow, check_queue_type,
    check_dead_letter_strategy;
setting_check check_boolean;
/* x-cache-size, x-cache-ttl: dedup_arguments.h. */
setting_check check_cache_bound;
/* Checked elsewhere; here to be compared when a queue is declared again. */
setting_check check_any;
/* x-queue-leader-locator. */
setting_check check_leader_locator;
/* Of policies only. */
setting_check check_positive, check_version, check_age, check_master_locator, check_mirrors,
    check_synchronisation, check_promotion, check_queue_mode;
/* "disabled"; nothing at all. */
setting_check check_no_retry, check_never;

/* Words in the order of their enums, NULL-ended. */
extern const char *const setting_overflow_words[];
extern const char *const setting_strategy_words[];
extern const char *const setting_type_words[];
/* The place of a string in such a list, or -1. */
int setting_word(const struct field *field, const char *const *words);

#endif
