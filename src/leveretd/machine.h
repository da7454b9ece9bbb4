/* The machine's resources and limits. Thread: any. */
#ifndef LEVERETD_MACHINE_H
#define LEVERETD_MACHINE_H

#include <stdint.h>

/* Cores that this process may use, at least 1. */
unsigned machine_cores(void);
/* Memory that this process may use: the machine's or, when lower, its control group's. Bytes. */
uint64_t machine_memory_bytes(void);
/* Raises the limit of open files to the hard limit, and the hard limit to 65,536 if it is lower and
 * this process may raise it (CAP_SYS_RESOURCE). Returns the new limit; *raised_from is the earlier
 * hard limit, or 0 when it was not raised. */
uint64_t machine_raise_file_limit(uint64_t *raised_from);
/* The limit of open files now. */
uint64_t machine_file_limit(void);

#endif
