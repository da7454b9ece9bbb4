/* Part of the api: the last lines of the log, and those to come.
 *
 *   GET /api/log?lines=100&level=warning        a list of {"time", "level", "area", "text"}
 *   GET /api/log/tail?lines=10&level=warning    the same objects as events, and then each new line
 *
 * The lines come from a ring of LOG_RING_BYTES. A reader who is too slow for it gets the event
 * "lost" with the number of lines that are gone. */
#include <inttypes.h>
#include <stdlib.h>

#include "admin/http/events.h"
#include "admin/json/answer.h"
#include "admin/resource/node.h"
#include "leveret/base/number.h"

/* Lines that are told when the query does not say how many: of the list, of the stream. */
#define LIST_LINES 100u
#define TAIL_LINES 0u

struct log_reading {
    uint64_t next;   /* the number of the next line */
    uint64_t missed; /* lines that were gone before they could be told */
    enum log_level level;
};

/* Reads the query. Returns false when it is wrong, and has answered. */
static bool read_query(struct request *r, uint64_t otherwise, uint64_t *lines,
                       enum log_level *level)
{
    char *count = request_query(r, "lines"), *name = request_query(r, "level");
    const char *wrong = NULL;
    *lines = otherwise;
    *level = LOG_DEBUG;
    if (count && !number_read(count, UINT32_MAX, lines))
        wrong = "lines must be a number";
    if (name && log_level_parse(name, level) != STATUS_OK)
        wrong = "level must be one of debug, info, warning, error, none";
    free(count);
    free(name);
    if (wrong)
        respond_bad_request(r, "%s", wrong);
    return !wrong;
}

/* Where the last so many lines of at least this level begin. Lines that come meanwhile are more. */
static uint64_t first_of(struct log_ring *ring, uint64_t lines, enum log_level level)
{
    uint64_t first, end, next, missed = 0, count = 0;
    struct text line = {0};
    log_ring_span(ring, &first, &end);
    if (level == LOG_DEBUG || !lines)
        return end - first > lines ? end - lines : first;
    next = first;
    while (log_ring_read(ring, level, &next, &missed, &line) && next <= end) {
        count++;
        line.len = 0;
    }
    next = first;
    while (count > lines && log_ring_read(ring, level, &next, &missed, &line)) {
        count--;
        line.len = 0;
    }
    text_free(&line);
    return next;
}

static void get_log(struct request *r)
{
    struct log_ring *ring = log_last_lines(r->admin->options.log);
    struct answer a = {0};
    struct text line = {0};
    uint64_t lines, next, missed = 0;
    enum log_level level;
    if (!read_query(r, LIST_LINES, &lines, &level))
        return;
    next = first_of(ring, lines, level);
    answer_array(&a, NULL);
    for (; lines && log_ring_read(ring, level, &next, &missed, &line); lines--) {
        text_add(&line, "", 1);
        answer_json(&a, NULL, (const char *)line.at);
        line.len = 0;
    }
    answer_end(&a);
    text_free(&line);
    respond_json(r, 200, &a);
}

static bool tell_lines(struct request *r)
{
    struct log_reading *reading = r->work;
    struct log_ring *ring = log_last_lines(r->admin->options.log);
    struct text line = {0};
    while (!events_enough(r) &&
           log_ring_read(ring, reading->level, &reading->next, &reading->missed, &line)) {
        if (reading->missed)
            events_send_lost(r, reading->missed);
        reading->missed = 0;
        events_send(r, NULL, text_bytes(&line));
        line.len = 0;
    }
    text_free(&line);
    return true;
}

static void tail_log(struct request *r)
{
    struct log_ring *ring = log_last_lines(r->admin->options.log);
    uint64_t lines;
    enum log_level level;
    if (!read_query(r, TAIL_LINES, &lines, &level))
        return;
    struct log_reading *reading = request_work(r, sizeof *reading, free);
    reading->level = level;
    reading->next = first_of(ring, lines, level);
    events_begin(r, tell_lines);
}

/* ---- Routes. */

const struct route api_log[] = {
    {METHOD_GET, "/api/log", get_log, ACCESS_MONITORING, BODY_SMALL},
    {METHOD_GET, "/api/log/tail", tail_log, ACCESS_MONITORING, BODY_SMALL},
    ROUTES_END,
};
