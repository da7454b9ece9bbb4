/* The user who sent a request, and what that user may do. Thread: the main thread. */
#ifndef LEVERET_ADMIN_ACCESS_H
#define LEVERET_ADMIN_ACCESS_H

#include "leveret/auth/auth.h"

struct request;

/* What a user's tags allow; a user may have several. */
enum rights {
    RIGHT_MANAGEMENT = 1,    /* to ask anything */
    RIGHT_POLICYMAKER = 2,   /* to change policies and parameters */
    RIGHT_MONITORING = 4,    /* to see the node, and others' connections and channels */
    RIGHT_ADMINISTRATOR = 8, /* to do everything */
};
/* The rights that tags ("administrator,monitoring") give. A stronger tag gives the weaker tags'
 * rights too. */
unsigned access_rights(const char *tags);

/* Who acts in requests that came to the control socket, in logs and events: the name that
 * RabbitMQ's command line has. */
#define ACCESS_CONTROL_USER "rmq-cli"

enum credentials {
    CREDENTIALS_GOOD,
    CREDENTIALS_NONE,    /* there are none, or none that can be read */
    CREDENTIALS_WRONG,   /* no such user with such a password */
    CREDENTIALS_REFUSED, /* not looked at: too many wrong ones have come */
    CREDENTIALS_FOREIGN, /* a cookie, in a request to change something that may be another page's */
};
/* A request by the control socket is good without any, with all rights. Else checks the request's
 * basic authentication, and counts the attempt; or, when it has none, its ticket (tickets.h). Sets
 * the request's user and rights when the credentials are good. When they are wrong or refused, the
 * answer is due after *late_ms. */
enum credentials access_check(struct request *request, uint32_t *late_ms);
/* Checks a user's name and password in the same way: a log-in by the page. */
enum credentials access_login(struct request *request, struct bytes user, struct bytes password,
                              uint32_t *late_ms);
/* Answers a request whose credentials are not good, after late_ms. */
void access_refuse(struct request *request, enum credentials result, uint32_t late_ms);

/* The name of the cookie that holds a ticket. Brokers on several ports of one machine share a
 * browser's cookies, so the port is in it. */
#define ACCESS_COOKIE_BYTES 24u
void access_cookie_name(const struct request *request, char out[ACCESS_COOKIE_BYTES]);
/* The text of the ticket that the request shows; empty: it shows none. */
struct bytes access_ticket(const struct request *request);

/* Returns true when the user may know that the vhost is there, and see its sums, connections and
 * channels: users who monitor, and those for whom access_sees_vhost is true. */
bool access_knows_vhost(const struct request *request, struct bytes vhost);
/* Returns true when the user may see what is in the vhost: administrators, and users for whom
 * access_enters_vhost is true. */
bool access_sees_vhost(const struct request *request, struct bytes vhost);
/* Returns true when the user may change what is in the vhost: users who have permissions on it,
 * whatever their tags. */
bool access_enters_vhost(const struct request *request, struct bytes vhost);

/* Returns true when the user has the permission on the resource. */
bool access_has(const struct request *request, enum permission permission, struct bytes vhost,
                struct bytes resource);
/* The same. Otherwise answers 401, as
 * RabbitMQ does, and returns false. */
bool access_allowed(struct request *request, enum permission permission, struct bytes vhost,
                    struct bytes resource);

#endif
