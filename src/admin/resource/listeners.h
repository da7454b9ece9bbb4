/* What the broker listens on, for the overview and the health checks. Thread: the main thread. */
#ifndef LEVERET_ADMIN_LISTENERS_H
#define LEVERET_ADMIN_LISTENERS_H

#include <stddef.h>
#include <stdint.h>

struct admin;
struct tls;

/* Listeners that are told; those beyond are left out. */
#define LISTENERS_MAX 64u

struct listening {
    const char *protocol; /* RabbitMQ's name: "amqp", "amqp/ssl", "http", "https/prometheus" … */
    const char *address;
    uint16_t port;
    const struct tls *tls; /* NULL: it speaks none */
};
/* Returns how many there are. */
size_t listeners_all(const struct admin *admin, struct listening out[LISTENERS_MAX]);

#endif
