/* Keys of the log. key.h says what a row means. */
#include "leveret/base/log_rotation.h"
#include "leveretd/settings/key.h"

static const char *check_date(const char *value)
{
    struct log_schedule schedule;
    return log_schedule_parse(value, &schedule) == STATUS_OK
               ? NULL
               : "must be $D0 to $D23, $H0 to $H59, $W0 to $W6, or $M1 to $M31";
}

/* Levels and formats of the outputs are "inherit" until they are set: log.level and log.format
 * count then. */
const struct key keys_log[] = {
    {KEY_PLAIN("log.level", KEY_LEVEL, log_level, "info"), .live = true},
    {KEY_PLAIN("log.format", KEY_FORMAT, log_format, "text"), .live = true},
    {KEY_CHOICE("log.console", log_console, "auto", "true", "false"), .live = true},
    {KEY_CHOICE("log.console.stdio", log_console_stdio, "stderr", "stdout"), .live = true},
    {KEY_PLAIN("log.console.level", KEY_LEVEL, log_console_level, "inherit"), .live = true},
    {KEY_PLAIN("log.console.formatter", KEY_FORMAT, log_console_format, "inherit"), .live = true},
    {KEY_PLAIN("log.dir", KEY_TEXT_OR_OFF, log_dir, NULL), .live = true},
    {KEY_PLAIN("log.file", KEY_TEXT_OR_OFF, log_file, NULL), .live = true},
    {KEY_PLAIN("log.file.level", KEY_LEVEL, log_file_level, "inherit"), .live = true},
    {KEY_PLAIN("log.file.formatter", KEY_FORMAT, log_file_format, "inherit"), .live = true},
    {KEY_PLAIN("log.file.rotation.date", KEY_TEXT_OR_OFF, log_rotation_date, NULL),
     .check = check_date, .live = true},
    {KEY_RANGE("log.file.rotation.size", KEY_SIZE, log_rotation_bytes, "0", 0, TIB), .live = true},
    {KEY_RANGE("log.file.rotation.count", KEY_COUNT, log_rotation_count, "10", 0, 1000),
     .live = true},
    {KEY_PLAIN("log.file.rotation.compress", KEY_BOOL, log_rotation_compress, "false"),
     .live = true},
    {KEY_PLAIN("log.journald", KEY_BOOL, log_journald, "false"), .live = true},
    {KEY_PLAIN("log.journald.level", KEY_LEVEL, log_journald_level, "inherit"), .live = true},
    {KEY_PLAIN("log.exchange", KEY_BOOL, log_exchange, "true"), .live = true},
    {KEY_PLAIN("log.exchange.level", KEY_LEVEL, log_exchange_level, "inherit"), .live = true},
    {KEY_PLAIN("log.$category.level", KEY_CATEGORY, log_categories, NULL), .live = true},
    {.name = NULL},
};
