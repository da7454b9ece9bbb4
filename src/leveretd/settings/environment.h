/* Settings from the environment: LEVERET_* for every key, and the variables of RabbitMQ's packages
 * and images that mean the same. Thread: one at a time. */
#ifndef LEVERETD_ENVIRONMENT_H
#define LEVERETD_ENVIRONMENT_H

#include "leveretd/settings/settings.h"

/* environment: "NAME=value" strings, NULL-ended. LEVERET_HEARTBEAT is heartbeat, LEVERET_LOG_LEVEL
 * log.level; LEVERET_DEFAULT_PASS_FILE names a file whose first line is default_pass, and so for
 * every secret. An unknown variable of the prefix is a warning; those that Kubernetes makes for a
 * service of that name are not. */
void environment_read(struct settings *settings, char *const *environment, struct report *report);

/* RABBITMQ_DEFAULT_USER and its like. To be called after all other sources: a variable counts only
 * when no source has set its key. Those that mean nothing here are named in one warning. */
void environment_read_rabbitmq(struct settings *settings, char *const *environment,
                               struct report *report);

/* The configuration that RABBITMQ_CONFIG_FILE and RABBITMQ_CONFIG_FILES name, each as a path that
 * settings_read_path takes; the caller frees them. NULL: not set. */
char *environment_rabbitmq_file(char *const *environment);
char *environment_rabbitmq_files(char *const *environment);

#endif
