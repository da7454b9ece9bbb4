/* What the machine and its limits allow. Thread: any. */
#ifndef LEVERETD_MACHINE_H
#define LEVERETD_MACHINE_H

#include <stdint.h>

/* Cores that this process may use, at least 1. */
unsigned machine_cores(void);
/* Memory that this process may use: the machine's or, when lower, its control group's. Bytes. */
uint64_t machine_memory_bytes(void);
/* Raises the limit of open files to the hard one, and that to 65,536 if it is lower and this
 * process may (CAP_SYS_RESOURCE). Returns what was reached; *raised_from is the hard limit before,
 * 0 when that was not raised. */
uint64_t machine_raise_file_limit(uint64_t *raised_from);
/* The limit of open files now. */
uint64_t machine_file_limit(void);

#endif
