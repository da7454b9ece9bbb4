/* Names and texts of the statuses, made from the table in status.h. */
#include "leveret/base/status.h"

#include <stddef.h>

#define STATUS_NAME(name, text) #name,
static const char *const names[] = {STATUS_TABLE(STATUS_NAME)};
#undef STATUS_NAME

#define STATUS_TEXT(name, text) text,
static const char *const texts[] = {STATUS_TABLE(STATUS_TEXT)};
#undef STATUS_TEXT

const char *status_name(enum status status)
{
    return (size_t)status < STATUS_COUNT ? names[status] : "UNKNOWN";
}

const char *status_text(enum status status)
{
    return (size_t)status < STATUS_COUNT ? texts[status] : "unknown status";
}
