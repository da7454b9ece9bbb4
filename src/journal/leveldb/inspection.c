/* See inspection.h.
 *
 * What can go wrong, beside damage: a segment was removed since its items were noted, because
 * nothing in it is alive any more. That is no error. */
#include "journal/leveldb/inspection.h"

#include <inttypes.h>

#include "journal/leveldb/segment_file.h"
#include "leveret/base/clock.h"
#include "leveret/base/mem.h"

void inspection_free(struct inspection *inspection)
{
    free(inspection->tables.tables);
    free(inspection->tables.cut);
    free(inspection->items);
    *inspection = (struct inspection){0};
}

void inspection_add(struct inspection *inspection, const struct inspection_item *item)
{
    if (inspection->count == inspection->room) {
        inspection->room = inspection->room * 2 + 64;
        inspection->items = mem_need_array(inspection->items, inspection->room, sizeof *item);
    }
    inspection->items[inspection->count++] = *item;
}

static bool block_is_sound(const struct inspection_item *item, struct bytes value)
{
    struct record_key key = record_key_block(item->id, item->number);
    struct record_block_in block;
    return record_block_open(&block, record_key_bytes(&key), value) == STATUS_OK;
}

static bool body_is_sound(const struct inspection_item *item, struct bytes value)
{
    uint64_t left = item->number;
    for (uint32_t part = 0; left > 0; part++) {
        size_t want = left < RECORD_BODY_PART ? (size_t)left : RECORD_BODY_PART;
        struct record_key key = record_key_body(item->id, part);
        struct bytes payload;
        if (value.len < want + RECORD_SEAL_BYTES ||
            record_open(record_key_bytes(&key), bytes_of(value.at, want + RECORD_SEAL_BYTES),
                        &payload) != STATUS_OK)
            return false;
        value.at += want + RECORD_SEAL_BYTES;
        value.len -= want + RECORD_SEAL_BYTES;
        left -= want;
    }
    return true;
}

static enum status check_item(const struct inspection_item *item, const char *path,
                              struct text *buffer, char **error)
{
    buffer->len = 0;
    enum status status = segment_file_read(path, item->place, buffer);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    if (status == STATUS_OK) {
        struct bytes value = text_bytes(buffer);
        if (item->is_body ? body_is_sound(item, value) : block_is_sound(item, value))
            return STATUS_OK;
        status = STATUS_CORRUPT;
    }
    char *name = segment_file_name(path, item->place.segment);
    struct text text = {0};
    if (status == STATUS_CORRUPT)
        text_printf(&text,
                    "%s: what is at byte %" PRIu32 " is damaged. Nothing was changed. Restore the "
                    "directory that it is in from a copy, or move the directory away to start "
                    "without what it holds",
                    name, item->place.offset);
    else
        text_printf(&text, "%s: what is at byte %" PRIu32 " cannot be read now: %s", name,
                    item->place.offset, status_text(status));
    text_add(&text, "", 1);
    free(name);
    *error = (char *)text.at;
    return status;
}

enum status inspection_items(struct inspection *inspection, const char *path, uint64_t bytes_min,
                             uint64_t until_ms, char **error)
{
    struct text buffer = {0};
    enum status status = STATUS_OK;
    uint64_t bytes = 0;
    *error = NULL;
    while (status == STATUS_OK && inspection->done < inspection->count &&
           (bytes < bytes_min || clock_steady_ms() < until_ms)) {
        const struct inspection_item *item = &inspection->items[inspection->done++];
        bytes += item->place.bytes;
        status = check_item(item, path, &buffer, error);
        inspection->done -= status == STATUS_IO || status == STATUS_NO_MEMORY; /* again later */
    }
    text_free(&buffer);
    return status;
}

enum status inspection_table(struct inspection *inspection, const char *path, char **error)
{
    *error = NULL;
    if (inspection->tables_done == inspection->tables.count)
        return STATUS_NOT_FOUND;
    enum status status =
        verify_table(path, inspection->tables.tables[inspection->tables_done], error);
    inspection->tables_done += status != STATUS_IO && status != STATUS_NO_MEMORY;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}
