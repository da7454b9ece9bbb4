/* Streams of events.
 *
 * Normal course: a timer polls the source; what it sends is gathered and written as one piece. What
 * can go wrong: the client is behind (the source is not asked), or has left (the request is freed
 * at the next poll). */
#include "admin/http/events.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "admin/http/http.h"
#include "admin/http/request.h"
#include "admin/http/respond.h"
#include "leveret/base/mem.h"

/* Polls between two looks at whether the client is still there. */
#define LEFT_POLLS 10u

struct events {
    struct request *request;
    bool (*poll)(struct request *request);
    struct timer *timer;
    struct text text; /* what this poll has sent so far */
    bool over;        /* true: it ends as soon as nobody is asked any more */
    unsigned polls;
    uint64_t sent_ms; /* when something was sent last */
    struct events *next, **link;
};

static void write_out(struct events *events)
{
    if (events->text.len) {
        events->sent_ms = loop_now_ms(events->request->admin->options.loop);
        http_stream_write(events->request, &events->text);
        events->text = (struct text){0};
    }
}

static void on_time(void *context)
{
    struct events *events = context;
    struct request *r = events->request;
    uint64_t now = loop_now_ms(r->admin->options.loop);
    timer_set(events->timer, EVENTS_POLL_MS);
    if (r->asking)
        return; /* the request must not be freed yet */
    bool look = ++events->polls % LEFT_POLLS == 0;
    if (!r->http || events->over || (look && http_stream_left(r))) {
        events_end(r);
        return;
    }
    if (http_stream_full(r))
        return;
    if (now - events->sent_ms >= EVENTS_QUIET_MS)
        text_printf(&events->text, ":\n\n");
    if (events->poll(r))
        write_out(events);
    else
        events_end(r);
}

static bool may_begin(struct request *r)
{
    unsigned own = 0, all = 0;
    for (const struct events *e = r->admin->events; e; e = e->next) {
        all++;
        own += strcmp(e->request->user, r->user) == 0;
    }
    if (own >= EVENTS_USER_MAX)
        respond_error(r, 429, "too_many_streams", "This user has as many streams as one may have");
    else if (all >= EVENTS_ALL_MAX)
        respond_error(r, 503, "service_unavailable", "There are as many streams as there may be");
    else
        return true;
    return false;
}

bool events_begin(struct request *request, bool (*poll)(struct request *request))
{
    struct admin *admin = request->admin;
    if (!may_begin(request))
        return false;
    http_stream_begin(request, 200, "text/event-stream");
    if (request->method == METHOD_HEAD) {
        respond_streamed(request);
        return false;
    }
    struct events *events = mem_need(sizeof *events);
    events->request = request;
    events->poll = poll;
    events->sent_ms = loop_now_ms(admin->options.loop);
    events->timer = timer_new(admin->options.loop, on_time, events);
    timer_set(events->timer, 0);
    events->next = admin->events;
    events->link = &admin->events;
    if (events->next)
        events->next->link = &events->next;
    admin->events = events;
    request->events = events;
    return true;
}

bool events_enough(const struct request *request)
{
    return request->events->text.len >= EVENTS_POLL_BYTES;
}

void events_send(struct request *request, const char *name, struct bytes data)
{
    struct text *text = &request->events->text;
    if (name)
        text_printf(text, "event: %s\n", name);
    text_add(text, "data: ", 6);
    text_add_bytes(text, data);
    text_add(text, "\n\n", 2);
}

void events_send_lost(struct request *request, uint64_t count)
{
    struct text data = {0};
    text_printf(&data, "{\"count\":%" PRIu64 "}", count);
    events_send(request, "lost", text_bytes(&data));
    text_free(&data);
}

void events_end(struct request *request)
{
    request->events->over = true;
    if (request->asking)
        return; /* the next poll ends it */
    write_out(request->events);
    respond_streamed(request);
}

void events_free(struct events **events)
{
    struct events *e = *events;
    *events = NULL;
    if (!e)
        return;
    *e->link = e->next;
    if (e->next)
        e->next->link = e->link;
    timer_free(&e->timer);
    text_free(&e->text);
    free(e);
}
