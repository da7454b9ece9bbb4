/* The commands: one table says how each is shown in help, checked and called. */
#ifndef LEVERETCTL_COMMAND_H
#define LEVERETCTL_COMMAND_H

#include "session.h"

struct command {
    const char *name;      /* NULL: a heading over the next commands, whose text is in help */
    const char *arguments; /* as help shows them */
    int min, max;          /* number of arguments; max -1: no limit */
    unsigned takes;        /* enum option_bit */
    enum outcome (*run)(struct session *session);
    const char *detail; /* tells a function that serves several commands which one it is */
    const char *needs;  /* the tag or the permission in the virtual host that a user needs */
    const char *help;   /* one line, and perhaps more below it */
};

/* Finds and checks the command and runs it. */
enum outcome command_run(const struct options *options);

/* help [COMMAND]. */
enum outcome command_help(const struct options *options, const char *name);

/* list.c; detail: the kind's name */
enum outcome run_list(struct session *session);
/* node.c */
enum outcome run_status(struct session *session);
enum outcome run_whoami(struct session *session);
enum outcome run_check(struct session *session); /* detail: the path below health/checks */
enum outcome run_close_connection(struct session *session);
enum outcome run_close_user_connections(struct session *session);
enum outcome run_export(struct session *session);
enum outcome run_import(struct session *session);
/* users.c */
enum outcome run_add_user(struct session *session);
enum outcome run_delete_user(struct session *session);
enum outcome run_change_password(struct session *session);
enum outcome run_authenticate(struct session *session);
enum outcome run_set_user_tags(struct session *session);
enum outcome run_set_permissions(struct session *session);
enum outcome run_set_vhost_limits(struct session *session);
enum outcome run_set_memory_watermark(struct session *session);
enum outcome run_set_disk_free_limit(struct session *session);
enum outcome run_clear_vhost_limits(struct session *session);
enum outcome run_set_user_limits(struct session *session);
enum outcome run_clear_user_limits(struct session *session);
enum outcome run_clear_permissions(struct session *session);
/* vhosts.c */
enum outcome run_add_vhost(struct session *session);
enum outcome run_update_vhost(struct session *session);
enum outcome run_protect_vhost(struct session *session);
enum outcome run_unprotect_vhost(struct session *session);
enum outcome run_delete_vhost(struct session *session);
enum outcome run_restart_vhost(struct session *session);
enum outcome run_trace_on(struct session *session);
enum outcome run_trace_off(struct session *session);
/* policies.c: detail is policies or operator-policies */
enum outcome run_set_policy(struct session *session);
enum outcome run_clear_policy(struct session *session);
/* parameters.c */
enum outcome run_set_global_parameter(struct session *session);
enum outcome run_clear_global_parameter(struct session *session);
enum outcome run_set_cluster_name(struct session *session);
/* topology.c */
enum outcome run_declare_queue(struct session *session);
enum outcome run_declare_exchange(struct session *session);
enum outcome run_delete_queue(struct session *session);
enum outcome run_delete_exchange(struct session *session);
enum outcome run_purge_queue(struct session *session);
enum outcome run_bind(struct session *session);
enum outcome run_unbind(struct session *session);
/* messages.c */
enum outcome run_publish(struct session *session);
enum outcome run_get(struct session *session);

#endif
