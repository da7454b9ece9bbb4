/* Keys of the log. key.h says what a row means. */
#include "leveretd/settings/key.h"

const struct key keys_log[] = {
    {KEY_PLAIN("log.level", KEY_LEVEL, log_level, "info"), .live = true},
    {KEY_PLAIN("log.console.level", KEY_LEVEL, log_level, NULL), .live = true},
    {KEY_PLAIN("log.file.level", KEY_LEVEL, log_level, NULL), .live = true},
    {KEY_PLAIN("log.format", KEY_FORMAT, log_format, "text")},
    {KEY_PLAIN("log.console.formatter", KEY_FORMAT, log_format, NULL)},
    {KEY_PLAIN("log.file.formatter", KEY_FORMAT, log_format, NULL)},
    {KEY_PLAIN("log.file", KEY_TEXT_OR_OFF, log_file, NULL)},
    {.name = NULL},
};
