/* One key of the configuration: a row of the tables in keys_AREA.c. man/leveretd.8 explains each
 * key. Thread: any; the tables are constant. */
#ifndef LEVERETD_KEY_H
#define LEVERETD_KEY_H

#include "leveretd/settings/settings.h"

enum key_type {
    KEY_COUNT,        /* uint64_t */
    KEY_SIZE,         /* uint64_t, bytes */
    KEY_BYTESIZE,     /* the same in RabbitMQ's second form, where kb, mb and gb are of 1024 */
    KEY_LIMIT,        /* uint64_t: a count, or "infinity": UINT64_MAX */
    KEY_RATIO,        /* double */
    KEY_BOOL,         /* bool */
    KEY_TEXT,         /* char *, not empty */
    KEY_ANY_TEXT,     /* char *, may be empty */
    KEY_TEXT_OR_OFF,  /* char *; "none" and "false" are NULL */
    KEY_SECRET,       /* char *, may be empty; never shown */
    KEY_PORT,         /* char * */
    KEY_LEVEL,        /* uint64_t: enum log_level, or SETTING_INHERIT */
    KEY_FORMAT,       /* uint64_t: enum log_format, or SETTING_INHERIT */
    KEY_CATEGORY,     /* struct setting_names: a family of an area of the log; values are levels */
    KEY_WORD,         /* uint64_t: the number of one of a few words */
    KEY_NO_LISTENERS, /* struct setting_names; "none" removes the listeners set before */
    KEY_LISTENER,     /* struct setting_names: a family; the values are addresses */
    KEY_USERS,        /* struct setting_names: names separated by commas, or "none" */
    KEY_USER,         /* struct setting_names: a family whose values are bools */
    KEY_TAG,          /* struct setting_names: a family whose values are texts */
    KEY_SECRET_TAG,   /* the same; the values are never shown */
};

#define KEY_WORDS_MAX 8u

struct key {
    /* Parts that begin with $ stand for any text, as in RabbitMQ's schemas: "listeners.tcp.$name",
     * "default_users.$name.tags". Such a row is a family: the field is a struct setting_names, and
     * an entry is named by what the file has from the first $ on ("bob.tags"). The last part, if it
     * begins with $, takes all the rest, dots included. */
    const char *name;
    enum key_type type;
    size_t field;         /* offset in struct settings */
    const char *fallback; /* the default as text; NULL: zero, false, no text, an empty list */
    uint64_t min, max;    /* of numbers; of KEY_RATIO in thousandths */
    size_t replaces;      /* offset of a uint64_t or double that this key sets to 0; 0: of none */
    const char *words[KEY_WORDS_MAX]; /* of KEY_WORD, by number; NULL after the last */
    /* Checks a text of KEY_TEXT, KEY_TEXT_OR_OFF, KEY_TAG; returns NULL, or a static text that says
     * what is wrong ("must begin with /"). NULL: any text is right. */
    const char *(*check)(const char *value);
    bool live; /* true when SIGHUP changes it in the running broker: reload.c hands it on */
};

/* What a row begins with: {KEY_PLAIN("a.b", KEY_TEXT, field, "default")}; more members may
 * follow: {KEY_RANGE(…), .live = true}. */
#define KEY_FIELD(f)                     offsetof(struct settings, f)
#define KEY_PLAIN(n, t, f, d)            .name = (n), .type = (t), .field = KEY_FIELD(f), .fallback = (d)
#define KEY_RANGE(n, t, f, d, low, high) KEY_PLAIN(n, t, f, d), .min = (low), .max = (high)
/* Of a pair, the key that is set last counts. */
#define KEY_PAIR(n, t, f, d, high, other)                                                          \
    KEY_PLAIN(n, t, f, d), .max = (high), .replaces = KEY_FIELD(other)
#define KEY_CHOICE(n, f, ...)                                                                      \
    .name = (n), .type = KEY_WORD, .field = KEY_FIELD(f), .words = {__VA_ARGS__}

#define KIB     UINT64_C(1024)
#define MIB     (KIB * KIB)
#define TIB     (MIB * MIB)
#define HOUR_MS UINT64_C(3600000)

/* The keys by area. A table ends with a row without a name. Where two rows fit a name, the earlier
 * counts, so a literal name stands before a family. */
extern const struct key keys_listeners[]; /* AMQP: addresses, sockets, TLS, PROXY */
extern const struct key keys_tls[];       /* certificates, and logging in by one */
extern const struct key keys_http[];      /* HTTP API, its page, metrics */
extern const struct key keys_limits[];    /* what bounds clients, memory and disk */
extern const struct key keys_access[];    /* users, passwords, what a new node or vhost gets */
extern const struct key keys_log[];
extern const struct key keys_node[]; /* data, threads, names, definitions */

#endif
