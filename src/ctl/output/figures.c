/* Numbers for people. */
#include "ctl/output/figures.h"

#include <math.h>
#include <time.h>

void figures_bytes(struct text *out, double bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    size_t unit = 0;
    /* From 999.95 on one decimal would show 1000.0. */
    while (unit + 1 < sizeof units / sizeof *units && fabs(bytes) >= (unit ? 999.95 : 1000.0)) {
        bytes /= 1000;
        unit++;
    }
    text_printf(out, unit ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
}

void figures_rate(struct text *out, double per_second)
{
    text_printf(out, "%.1f", per_second);
}

void figures_duration(struct text *out, double milliseconds)
{
    static const struct {
        const char *name;
        double seconds;
    } units[] = {{"d", 86400}, {"h", 3600}, {"min", 60}, {"s", 1}};
    double seconds = floor(milliseconds / 1000);
    if (milliseconds < 60 * 1000) {
        text_printf(out, milliseconds < 10 * 1000 ? "%.1f s" : "%.0f s", milliseconds / 1000);
        return;
    }
    size_t i = 0;
    while (seconds < units[i].seconds)
        i++;
    double large = floor(seconds / units[i].seconds);
    double small = floor((seconds - large * units[i].seconds) / units[i + 1].seconds);
    text_printf(out, "%.0f %s", large, units[i].name);
    if (small > 0)
        text_printf(out, " %.0f %s", small, units[i + 1].name);
}

void figures_time(struct text *out, double milliseconds)
{
    time_t seconds = (time_t)(milliseconds / 1000);
    struct tm parts;
    char shown[32];
    if (gmtime_r(&seconds, &parts) && strftime(shown, sizeof shown, "%Y-%m-%d %H:%M:%S", &parts))
        text_printf(out, "%s", shown);
    else
        text_printf(out, "%.0f", milliseconds);
}
