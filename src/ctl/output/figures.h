/* Numbers as a person reads them. */
#ifndef LEVERETCTL_FIGURES_H
#define LEVERETCTL_FIGURES_H

#include <stdint.h>

#include "leveret/base/text.h"

/* 11.3 MB; powers of 1,000. */
void figures_bytes(struct text *out, double bytes);
/* One decimal: 0.2, 1250.0. */
void figures_rate(struct text *out, double per_second);
/* The two largest units: 3 d 4 h, 2 min 5 s, 0.4 s. */
void figures_duration(struct text *out, double milliseconds);
/* A time since 1970, as 2026-12-01 09:06:25 in UTC. */
void figures_time(struct text *out, double milliseconds);

#endif
