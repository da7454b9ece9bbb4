/* When a log file is put aside for a new one: RabbitMQ's forms of a schedule. */
#include "leveret/base/log_rotation.h"

#include <string.h>
#include <strings.h>
#include <time.h>

#include "leveret/base/number.h"

/* Reads a number of one or two digits; returns what follows, or NULL. */
static const char *small_number(const char *text, unsigned low, unsigned high, unsigned *out)
{
    unsigned n = 0, digits = 0;
    while (digits < 2 && text[digits] >= '0' && text[digits] <= '9')
        n = n * 10 + (unsigned)(text[digits++] - '0');
    if (!digits || n < low || n > high)
        return NULL;
    *out = n;
    return text + digits;
}

static const char *read_day_of_month(const char *text, unsigned *out)
{
    if (strncasecmp(text, "last", 4) == 0) {
        *out = 31;
        return text + 4;
    }
    return small_number(text, 1, 31, out);
}

enum status log_schedule_parse(const char *text, struct log_schedule *out)
{
    struct log_schedule schedule = {0};
    const char *at = NULL;

    *out = schedule;
    if (!*text || strcmp(text, "false") == 0)
        return STATUS_OK;
    if (strncmp(text, "$H", 2) == 0) {
        schedule.every = LOG_EVERY_HOUR;
        at = small_number(text + 2, 0, 59, &schedule.minute);
    } else if (strncmp(text, "$D", 2) == 0) {
        schedule.every = LOG_EVERY_DAY;
        at = small_number(text + 2, 0, 23, &schedule.hour);
    } else if (strncmp(text, "$W", 2) == 0) {
        schedule.every = LOG_EVERY_WEEK;
        at = small_number(text + 2, 0, 6, &schedule.day);
    } else if (strncmp(text, "$M", 2) == 0) {
        schedule.every = LOG_EVERY_MONTH;
        at = read_day_of_month(text + 2, &schedule.day);
    }
    if (at && *at == 'D' && schedule.every >= LOG_EVERY_WEEK)
        at = small_number(at + 1, 0, 23, &schedule.hour);
    if (!at || *at)
        return STATUS_MALFORMED;
    *out = schedule;
    return STATUS_OK;
}

static int days_of_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 1 && leap ? 29 : days[month];
}

/* The schedule's point in the period of `base`, or in one of those that follow. */
static struct tm point(const struct log_schedule *schedule, struct tm base, int periods_later)
{
    base.tm_sec = 0;
    base.tm_isdst = -1; /* mktime finds out */
    base.tm_min = (int)schedule->minute;
    if (schedule->every == LOG_EVERY_HOUR) {
        base.tm_hour += periods_later;
        return base;
    }
    base.tm_hour = (int)schedule->hour;
    if (schedule->every == LOG_EVERY_DAY) {
        base.tm_mday += periods_later;
    } else if (schedule->every == LOG_EVERY_WEEK) {
        base.tm_mday += (int)schedule->day - base.tm_wday + 7 * periods_later;
    } else {
        int month = base.tm_mon + periods_later;
        base.tm_year += month / 12;
        base.tm_mon = month % 12;
        int last = days_of_month(base.tm_year + 1900, base.tm_mon);
        base.tm_mday = (int)schedule->day < last ? (int)schedule->day : last;
    }
    return base;
}

uint64_t log_schedule_next(const struct log_schedule *schedule, uint64_t after_s)
{
    time_t after = (time_t)after_s;
    struct tm base;
    if (schedule->every == LOG_EVERY_NEVER)
        return 0;
    localtime_r(&after, &base);
    /* The second period may lack the point, too, when the clock is set forward in it. */
    for (int later = 0; later < 4; later++) {
        struct tm tm = point(schedule, base, later);
        time_t at = mktime(&tm);
        if (at > after)
            return (uint64_t)at;
    }
    return after_s + 24 * 3600;
}
