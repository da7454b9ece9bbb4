/* The nearest of several names to one that does not exist, for "did you mean". Thread: any; each
 * struct is used by one. */
#ifndef LEVERET_BASE_NEAREST_H
#define LEVERET_BASE_NEAREST_H

/* Bytes of a name that is compared; a longer one is near to nothing. */
#define NEAREST_NAME_BYTES_MAX 100u

struct nearest {
    const char *name;                       /* that does not exist */
    char found[NEAREST_NAME_BYTES_MAX + 1]; /* the nearest so far; empty: none is near */
    unsigned distance;                      /* of found; another name must be nearer */
};

/* name must live as long as the struct is used. */
void nearest_begin(struct nearest *nearest, const char *name);
/* Looks at one more name that exists, which is copied. At most a third of the bytes may differ. */
void nearest_consider(struct nearest *nearest, const char *candidate);

#endif
