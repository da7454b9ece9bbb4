/* The machine's resources and limits. Thread: any. */
#ifndef LEVERETD_MACHINE_H
#define LEVERETD_MACHINE_H

#include <stdint.h>

/* Cores that this process may use, at least 1: those of its affinity or, when fewer, of its control
 * group's limit, rounded up. */
unsigned machine_cores(void);
/* What a control group leaves of so many cores: quota is the time that it may use in each period; 0
 * for either: it has no limit. */
unsigned machine_share(unsigned cores, uint64_t quota, uint64_t period);
/* Memory that this process may use: the machine's or, when lower, its control group's. Bytes. */
uint64_t machine_memory_bytes(void);
/* Raises the limit of open files to the hard limit, and the hard limit to 65,536 if it is lower and
 * this process may raise it (CAP_SYS_RESOURCE). Returns the new limit; *raised_from is the earlier
 * hard limit, or 0 when it was not raised. */
uint64_t machine_raise_file_limit(uint64_t *raised_from);
/* The limit of open files now. */
uint64_t machine_file_limit(void);

#endif
