/* Messages on standard error, and what the program ends with. */
#ifndef LEVERETCTL_COMPLAIN_H
#define LEVERETCTL_COMPLAIN_H

/* The exit codes; leveretctl(1) promises them. */
enum outcome {
    OUTCOME_OK = 0,
    OUTCOME_REFUSED = 1,     /* the broker refused */
    OUTCOME_USAGE = 2,       /* the command line or the configuration is wrong */
    OUTCOME_UNREACHABLE = 3, /* the broker did not answer */
    OUTCOME_LOCAL = 4        /* a file or stream here could not be read or written */
};

/* Prints one line to stderr, after the program's name; control characters become blanks. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
