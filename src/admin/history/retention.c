/* How long samples are kept: see leveret/admin/admin.h. */
#include "leveret/admin/admin.h"

#include "admin/history/series.h"

#define TICK_S (SERIES_TICK_MS / 1000u)

void admin_history_default(struct admin_history *out)
{
    /* A little more is kept than clients are told, since the oldest sample that they ask for may be
     * older than that by the time of their question. */
    static const struct admin_history history = {
        .of = {{{TICK_S, 605, 600}, {60, 3660, 3600}, {600, 29400, 28800}, {1800, 86400, 86400}},
               {{TICK_S, 605, 600}, {60, 3660, 3600}},
               {{TICK_S, 605, 600}}},
        .bytes_max = UINT64_C(64) << 20,
    };
    *out = history;
}

void admin_history_set(struct admin_history *history, unsigned policy, const uint64_t seconds[3])
{
    static const uint32_t spans_s[3] = {60, 3600, 86400};
    uint32_t steps_s[3];
    unsigned at = 0;
    if (!seconds[0] && !seconds[1] && !seconds[2])
        return;
    for (unsigned i = 0; i < HISTORY_TRACKS_MAX; i++)
        history->of[policy][i].step_s = 0;
    for (unsigned i = 0; i < 3; i++)
        steps_s[i] = (uint32_t)((seconds[i] + TICK_S - 1) / TICK_S * TICK_S);
    /* Rates need the last interval, so the finest resolution is always there. */
    if (steps_s[0] != TICK_S) {
        history->of[policy][at].step_s = history->of[policy][at].keep_s = TICK_S;
        history->of[policy][at++].told_s = 0;
    }
    for (unsigned i = 0; i < 3; i++) {
        if (!steps_s[i])
            continue;
        history->of[policy][at].step_s = steps_s[i];
        history->of[policy][at].keep_s = spans_s[i] + steps_s[i];
        history->of[policy][at++].told_s = spans_s[i];
    }
}
