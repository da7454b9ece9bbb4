/* Tickets of the page's users: a list, oldest first, that is searched from its front. It is short
 * (TICKETS_MAX), and each place is compared as a whole, so that time tells nothing. */
#include "admin/http/tickets.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "leveret/base/mem.h"
#include "leveret/base/random.h"

struct held_ticket {
    TAILQ_ENTRY(held_ticket) entry;
    struct ticket ticket;
    uint64_t end_ms; /* when its time is over */
    char text[TICKET_DIGITS + 1];
};

struct tickets {
    uint64_t life_ms;
    unsigned count;
    TAILQ_HEAD(, held_ticket) list; /* oldest first: they all live equally long */
};

struct tickets *tickets_new(uint64_t life_ms)
{
    struct tickets *tickets = mem_need(sizeof *tickets);
    tickets->life_ms = life_ms;
    TAILQ_INIT(&tickets->list);
    return tickets;
}

static void drop(struct tickets *tickets, struct held_ticket *held)
{
    TAILQ_REMOVE(&tickets->list, held, entry);
    tickets->count--;
    explicit_bzero(held->text, sizeof held->text);
    free(held);
}

/* Drops those whose time is over. */
static void drop_late(struct tickets *tickets, uint64_t now_ms)
{
    struct held_ticket *held = TAILQ_FIRST(&tickets->list), *next;
    for (; held && held->end_ms <= now_ms; held = next) {
        next = TAILQ_NEXT(held, entry);
        drop(tickets, held);
    }
}

void tickets_free(struct tickets **tickets)
{
    struct tickets *t = *tickets;
    *tickets = NULL;
    if (!t)
        return;
    drop_late(t, UINT64_MAX);
    free(t);
}

/* Makes room for one more ticket of the user. */
static void make_room(struct tickets *tickets, const char *user)
{
    struct held_ticket *held, *oldest = NULL;
    unsigned own = 0;
    TAILQ_FOREACH(held, &tickets->list, entry)
    {
        if (strcmp(held->ticket.user, user) != 0)
            continue;
        oldest = oldest ? oldest : held;
        own++;
    }
    if (own >= TICKETS_USER_MAX)
        drop(tickets, oldest);
    else if (tickets->count >= TICKETS_MAX)
        drop(tickets, TAILQ_FIRST(&tickets->list));
}

void tickets_issue(struct tickets *tickets, const struct ticket *ticket, uint64_t now_ms,
                   char text[TICKET_DIGITS + 1])
{
    struct held_ticket *held = mem_need(sizeof *held);
    drop_late(tickets, now_ms);
    make_room(tickets, ticket->user);
    held->ticket = *ticket;
    held->end_ms = now_ms + tickets->life_ms;
    for (size_t at = 0; at < TICKET_DIGITS; at += TICKET_DIGITS / 2)
        random_hex(held->text + at, TICKET_DIGITS / 4);
    memcpy(text, held->text, sizeof held->text);
    TAILQ_INSERT_TAIL(&tickets->list, held, entry);
    tickets->count++;
}

/* Returns true when the texts are the same, in a time that does not depend on them. */
static bool same(const char *held, const uint8_t *text)
{
    unsigned difference = 0;
    for (size_t i = 0; i < TICKET_DIGITS; i++)
        difference |= (unsigned)(uint8_t)held[i] ^ text[i];
    return difference == 0;
}

static struct held_ticket *look_up(struct tickets *tickets, struct bytes text)
{
    struct held_ticket *held, *found = NULL;
    if (text.len != TICKET_DIGITS)
        return NULL;
    TAILQ_FOREACH(held, &tickets->list, entry)
    if (same(held->text, text.at))
        found = held;
    return found;
}

const struct ticket *tickets_find(struct tickets *tickets, struct bytes text, uint64_t now_ms)
{
    drop_late(tickets, now_ms);
    const struct held_ticket *held = look_up(tickets, text);
    return held ? &held->ticket : NULL;
}

void tickets_end(struct tickets *tickets, struct bytes text)
{
    struct held_ticket *held = look_up(tickets, text);
    if (held)
        drop(tickets, held);
}

unsigned tickets_count(const struct tickets *tickets)
{
    return tickets->count;
}
