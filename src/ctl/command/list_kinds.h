/* What the commands list_… know of each kind of object. */
#ifndef LEVERETCTL_LIST_KINDS_H
#define LEVERETCTL_LIST_KINDS_H

#include <stdbool.h>
#include <stddef.h>

#include "ctl/output/column.h"

#define LIST_KIND_ALIASES 10

enum reach {
    REACH_VHOST,    /* one virtual host unless --all-vhosts says otherwise */
    REACH_ANYWHERE, /* all virtual hosts, unless --vhost was given */
    REACH_NONE,     /* the objects belong to no virtual host */
    REACH_ARGUMENT, /* those of what the first argument names */
    REACH_NODE      /* those of the node */
};

struct list_kind {
    const char *name; /* the command's detail */
    enum reach reach;
    const char *path[4]; /* segments of the path; "*" stands for the virtual host, the argument or
                            the node */
    const char *everywhere;           /* the path of all virtual hosts; NULL: there is none */
    const char *defaults;             /* the columns when none is named, separated by blanks */
    const char *rabbitmqctl_defaults; /* those of rabbitmqctl; NULL: the same */
    /* The members of the objects, separated by blanks; below one that ends in . any member may be
     * named. */
    const char *members;
    struct column aliases[LIST_KIND_ALIASES]; /* columns under other names than their members */
};

/* Ends the program when there is no such kind. */
const struct list_kind *list_kind_find(const char *name);

/* The path of the column's member; NULL when the kind has no such column. It lives as long as
 * name. */
const char *list_kind_path(const struct list_kind *kind, const char *name);

/* A member that all objects of the kind have and the API leaves out: its name and its text. NULL:
 * there is none. */
const struct column *list_kind_constant(const struct list_kind *kind);

/* Calls see with each column's name, until it returns false. */
void list_kind_columns(const struct list_kind *kind, bool (*see)(const char *name, void *context),
                       void *context);

#endif
