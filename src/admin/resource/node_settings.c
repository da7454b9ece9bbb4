/* Part of the api: settings of the running node: the watermarks of memory and disk, the level of
 * the log. What is set here holds until the broker is started again or reads its configuration
 * again.
 *
 *   {"vm_memory_high_watermark": {"relative": 0.4}, "disk_free_limit": {"absolute": "2GB"},
 *    "log_level": "debug"}
 *
 * relative is a share of the memory that the broker may use; absolute is a number of bytes, or a
 * size with its unit. A memory watermark of 0 blocks publishers at once; a disk limit of 0 never
 * does. */
#include "admin/resource/node.h"

#include <inttypes.h>
#include <math.h>

#include "admin/http/body.h"
#include "admin/json/answer.h"
#include "leveret/base/number.h"

/* The largest shares of memory that may be set, and bytes; larger ones are refused with 400. A disk
 * may be many times as large as memory. */
#define MEMORY_RATIO_MAX 1.0
#define DISK_RATIO_MAX   1000.0
#define BYTES_MAX        (UINT64_C(1) << 60)

static uint64_t absolute(struct form *form, const char *key, const struct value *value)
{
    uint64_t bytes = 0;
    const char *text = value_text(value);
    const char *wrong = "must be a size, such as 1048576, 50MB or 1GiB";
    if (value_kind_of(value) == VALUE_INT && value_int(value) >= 0) {
        bytes = (uint64_t)value_int(value);
        wrong = NULL;
    } else if (text && strlen(text) == value_bytes(value).len) {
        wrong = number_size(text, &bytes);
    }
    if (!wrong && bytes > BYTES_MAX)
        wrong = "is too large";
    if (wrong)
        form_refuse(form, key, "absolute %s", wrong);
    return bytes;
}

static uint64_t relative(struct form *form, const char *key, const struct value *value,
                         double ratio_max, uint64_t memory_bytes)
{
    enum value_kind kind = value_kind_of(value);
    double ratio = kind == VALUE_INT || kind == VALUE_REAL ? value_real(value) : -1;
    if (isfinite(ratio) && ratio >= 0 && ratio <= ratio_max)
        return (uint64_t)(ratio * (double)memory_bytes);
    form_refuse(form, key, "relative must be a fraction from 0 to %g", ratio_max);
    return 0;
}

/* Reads a limit, which must be absolute or relative; returns otherwise when the key is missing. */
static uint64_t read_limit(struct form *form, const char *key, double ratio_max,
                           uint64_t memory_bytes, uint64_t otherwise)
{
    const struct value *limit = form_map(form, key);
    if (!limit)
        return otherwise;
    const struct value *bytes = value_get(limit, "absolute"), *ratio = value_get(limit, "relative");
    if (value_count(limit) != 1 || (!bytes && !ratio))
        form_refuse(form, key, "must have one of absolute and relative");
    else if (bytes)
        return absolute(form, key, bytes);
    else
        return relative(form, key, ratio, ratio_max, memory_bytes);
    return otherwise;
}

static void write_limit(struct answer *a, const char *key, uint64_t bytes)
{
    answer_object(a, key);
    answer_uint(a, "absolute", bytes);
    answer_end(a);
}

/* Writes what both paths tell. */
static void write_watermarks(const struct request *r, struct answer *a)
{
    struct node_alarms alarms;
    node_alarms(r->admin->options.node, &alarms);
    write_limit(a, "vm_memory_high_watermark", alarms.memory_bytes_max);
    write_limit(a, "disk_free_limit", alarms.disk_free_bytes_min);
}

static void get_watermarks(struct request *r)
{
    struct answer a = {0};
    if (!request_names_node(r, r->args[0]))
        return;
    answer_object(&a, NULL);
    write_watermarks(r, &a);
    answer_end(&a);
    respond_json(r, 200, &a);
}

static void get_settings(struct request *r)
{
    const struct admin_options *options = &r->admin->options;
    struct answer a = {0};
    if (!request_names_node(r, r->args[0]))
        return;
    answer_object(&a, NULL);
    write_watermarks(r, &a);
    answer_text(&a, "log_level", log_level_name(log_lowest_level(options->log)));
    answer_end(&a);
    respond_json(r, 200, &a);
}

/* ---- Changing. */

struct node_changes {
    bool watermarks, log_level; /* true when the body has them */
    uint64_t memory_bytes, disk_bytes;
    enum log_level level;
};

static void read_watermarks(struct request *r, struct form *form, struct node_changes *out)
{
    const struct admin_options *options = &r->admin->options;
    struct node_alarms alarms;
    node_alarms(options->node, &alarms);
    out->watermarks =
        form_has(form, "vm_memory_high_watermark") || form_has(form, "disk_free_limit");
    out->memory_bytes = read_limit(form, "vm_memory_high_watermark", MEMORY_RATIO_MAX,
                                   options->physical_bytes, alarms.memory_bytes_max);
    out->disk_bytes = read_limit(form, "disk_free_limit", DISK_RATIO_MAX, options->physical_bytes,
                                 alarms.disk_free_bytes_min);
}

static void read_level(struct form *form, struct node_changes *out)
{
    const char *name = form_text(form, "log_level", NULL);
    out->log_level = name != NULL;
    if (name && log_level_parse(name, &out->level) != STATUS_OK)
        form_refuse(form, "log_level",
                    "level %.40s is not supported. Try one of debug, info, warning, error, none",
                    name);
}

static void change(struct request *r, const struct node_changes *changes)
{
    const struct admin_options *options = &r->admin->options;
    if (changes->watermarks) {
        node_set_watermarks(options->node, changes->memory_bytes, changes->disk_bytes);
        log_line(options->log, LOG_INFO, "http",
                 "memory watermark set to %" PRIu64 " bytes, disk limit to %" PRIu64 " by '%s'",
                 changes->memory_bytes, changes->disk_bytes, r->user);
    }
    if (changes->log_level) {
        /* The line is written at the level that shows more of both. */
        bool quieter = changes->level > log_lowest_level(options->log);
        if (!quieter)
            log_set_level(options->log, changes->level);
        log_line(options->log, LOG_INFO, "http", "level of the log set to %s by '%s'",
                 log_level_name(changes->level), r->user);
        if (quieter)
            log_set_level(options->log, changes->level);
    }
    respond_empty(r, 204);
}

static void put_watermarks(struct request *r)
{
    struct node_changes changes = {0};
    struct form form = body_form(r);
    if (!request_names_node(r, r->args[0]))
        return;
    read_watermarks(r, &form, &changes);
    if (form_ok(&form) && !changes.watermarks)
        form_refuse(&form, "limits", "must have vm_memory_high_watermark, disk_free_limit or both");
    if (body_ok(r, &form))
        change(r, &changes);
}

static void put_settings(struct request *r)
{
    struct node_changes changes = {0};
    struct form form = body_form(r);
    if (!request_names_node(r, r->args[0]))
        return;
    read_watermarks(r, &form, &changes);
    read_level(&form, &changes);
    if (form_ok(&form) && !changes.watermarks && !changes.log_level)
        form_refuse(&form, "settings",
                    "must have one of vm_memory_high_watermark, disk_free_limit and log_level");
    if (body_ok(r, &form))
        change(r, &changes);
}

/* ---- Routes. */

const struct route api_node_settings[] = {
    {METHOD_GET, "/api/nodes/:n/limits", get_watermarks, ACCESS_MONITORING, BODY_SMALL},
    {METHOD_PUT, "/api/nodes/:n/limits", put_watermarks, ACCESS_ADMINISTRATOR, BODY_SMALL},
    {METHOD_GET, "/api/nodes/:n/settings", get_settings, ACCESS_MONITORING, BODY_SMALL},
    {METHOD_PUT, "/api/nodes/:n/settings", put_settings, ACCESS_ADMINISTRATOR, BODY_SMALL},
    ROUTES_END,
};
