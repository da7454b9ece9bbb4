/* What the service manager (systemd, or another that sets NOTIFY_SOCKET) is told: that the broker
 * starts, serves, reads its configuration again, stops, and that its main loop still turns. Without
 * NOTIFY_SOCKET in the environment service_manager_new returns NULL, and nothing here does
 * anything.
 *
 * A start and a stop take as long as the journals need, which may be longer than the manager's
 * time-out. While one is under way, a thread asks for more time every SERVICE_MANAGER_EXTEND_MS.
 *
 * Source: sd_notify(3), systemd.service(5). Thread: the main thread. */
#ifndef LEVERETD_SERVICE_MANAGER_H
#define LEVERETD_SERVICE_MANAGER_H

#include "leveret/runtime/loop.h"

/* How often more time is asked for, in milliseconds; each time for three times as long. */
#define SERVICE_MANAGER_EXTEND_MS 10000u

struct service_manager;

/* To be called when signals are blocked, since it starts a thread: the start is under way from now
 * on. Returns NULL when there is no service manager. */
struct service_manager *service_manager_new(void);
/* manager may be NULL, in all of these. */

/* The broker serves clients. From now on the manager's watchdog, if it has one, is fed by a timer
 * of this loop. */
void service_manager_ready(struct service_manager *manager, struct loop *loop, const char *status);
/* The configuration is read again; and that this is done. */
void service_manager_reloading(struct service_manager *manager);
void service_manager_reloaded(struct service_manager *manager);
/* The stop is under way. The watchdog's timer ends, since the loop will end. */
void service_manager_stopping(struct service_manager *manager);
/* Ends the thread. A manager that was told that the broker is ready must have been told that it
 * stops, since the watchdog's timer belongs to the loop. */
void service_manager_free(struct service_manager **manager);

#endif
