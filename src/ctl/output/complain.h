/* Messages on standard error, and what the program ends with. */
#ifndef LEVERETCTL_COMPLAIN_H
#define LEVERETCTL_COMPLAIN_H

/* How a command ended: name, the exit code that leveretctl(1) promises, and that of rabbitmqctl,
 * which uses those of sysexits.h. */
#define OUTCOMES(X)                                                                                \
    X(OK, 0, 0)                                                                                    \
    X(REFUSED, 1, 69)     /* the broker refused */                                                 \
    X(NO_OBJECT, 1, 65)   /* there is no such queue, exchange … */                               \
    X(NO_USER, 1, 67)     /* there is no such user */                                              \
    X(NO_VHOST, 1, 65)    /* there is no such virtual host */                                      \
    X(EXISTS, 1, 70)      /* it exists already */                                                  \
    X(BAD_LOGIN, 1, 65)   /* user and password are not right */                                    \
    X(USAGE, 2, 64)       /* the command line or the configuration is wrong */                     \
    X(UNREACHABLE, 3, 69) /* the broker did not answer */                                          \
    X(TIMED_OUT, 3, 75)   /* what was waited for did not come in time */                           \
    X(LOCAL, 4, 65)       /* a file or stream here could not be read or written */                 \
    X(LEFT_OUT, 5, 69)    /* done, but for what was left out */

enum outcome {
#define X(name, own, rabbitmqctl) OUTCOME_##name,
    OUTCOMES(X)
#undef X
};

/* Prints one line to stderr, after the program's name; control characters become blanks. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
