/* Tickets: what a browser shows, in a cookie, in place of the password that was checked when its
 * user logged in. They are random, live in memory only, and end after a time. Thread: the main
 * thread.
 *
 * Who asks for tickets also asks auth whether the user is still there with the same password: a
 * ticket carries the mark of auth_user_mark for that. */
#ifndef LEVERET_ADMIN_TICKETS_H
#define LEVERET_ADMIN_TICKETS_H

#include "leveret/auth/auth.h"

/* Tickets in use at once, and how many of them one user may have: a new one takes the place of the
 * user's oldest, or else of the oldest of all. */
#define TICKETS_MAX      1024u
#define TICKETS_USER_MAX 32u
/* Hexadecimal digits of a ticket's text: 256 random bits. */
#define TICKET_DIGITS 64u

struct tickets;

struct ticket {
    char user[AUTH_NAME_MAX + 1];
    uint64_t mark; /* of the user's password when it was checked */
    bool loopback; /* true when the user logged in from this machine; valid only from here then */
};

/* Each ticket is valid for life_ms. */
struct tickets *tickets_new(uint64_t life_ms);
void tickets_free(struct tickets **tickets);

/* Makes a ticket; text is what the browser is to show. now_ms: steady, as everywhere here. */
void tickets_issue(struct tickets *tickets, const struct ticket *ticket, uint64_t now_ms,
                   char text[TICKET_DIGITS + 1]);
/* The ticket with that text, valid until the next call; NULL: there is none, or its time is over.
 * The time that this takes does not tell how much of a wrong text was right. */
const struct ticket *tickets_find(struct tickets *tickets, struct bytes text, uint64_t now_ms);
/* Ends the ticket with that text, if there is one. */
void tickets_end(struct tickets *tickets, struct bytes text);
/* How many are in use; those whose time is over are counted until they are looked for. */
unsigned tickets_count(const struct tickets *tickets);

#endif
