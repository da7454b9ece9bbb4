/* Keys that bound what clients may ask for, and what memory and disk may hold. key.h says what a
 * row means. */
#include "leveretd/settings/key.h"

const struct key keys_limits[] = {
    {KEY_RANGE("heartbeat", KEY_COUNT, heartbeat_s, "60", 0, UINT16_MAX), .live = true},
    {KEY_RANGE("channel_max", KEY_COUNT, channel_max, "2047", 0, UINT16_MAX), .live = true},
    {KEY_RANGE("frame_max", KEY_SIZE, frame_bytes_max, "131072", 4096, 16 * MIB), .live = true},
    {KEY_RANGE("handshake_timeout", KEY_COUNT, handshake_timeout_ms, "10000", 100, HOUR_MS),
     .live = true},
    {KEY_RANGE("max_message_size", KEY_SIZE, message_bytes_max, "128MiB", 1, 2048 * MIB),
     .live = true},
    {KEY_RANGE("connection_output_max", KEY_SIZE, output_bytes_max, "1MiB", 64 * KIB, 1024 * MIB),
     .live = true},
    {KEY_RANGE("consumer_timeout", KEY_COUNT, consumer_timeout_ms, "1800000", 0,
               365 * 24 * HOUR_MS),
     .live = true},
    {KEY_PAIR("vm_memory_high_watermark.relative", KEY_RATIO, memory_ratio, "0.4", 1000,
              memory_bytes),
     .live = true},
    {KEY_PAIR("vm_memory_high_watermark.absolute", KEY_SIZE, memory_bytes, NULL, 1024 * TIB,
              memory_ratio),
     .live = true},
    {KEY_PAIR("disk_free_limit.relative", KEY_RATIO, disk_ratio, NULL, 100000, disk_bytes),
     .live = true},
    {KEY_PAIR("disk_free_limit.absolute", KEY_SIZE, disk_bytes, "50MB", 1024 * TIB, disk_ratio),
     .live = true},
    {KEY_RANGE("total_memory_available_override_value", KEY_SIZE, memory_total, "0", 0, 1024 * TIB),
     .live = true},
    {.name = NULL},
};
