/* The archive: see archive.h.
 *
 * A series stands in a map by place, kind and number; in the list of its place, where it moves to
 * the end whenever a round brings its object; and, unless it is kept whatever happens, in the
 * archive's list `changed`, where it moves to the end whenever its numbers have changed. So what is
 * gone is found at the front of the first list, and what is forgotten first at the front of the
 * second. */
#include "admin/history/archive.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "leveret/base/account.h"
#include "leveret/base/check.h"
#include "leveret/base/map.h"
#include "leveret/base/mem.h"

/* Series of objects that are gone which the end of a round frees at most. */
#define FORGOTTEN_AT_ONCE 1000u

struct archived_key {
    uint64_t place, kind, number;
};

struct archived {
    struct archived_key key;
    struct archive_place *place;
    struct series *series;
    size_t bytes;       /* what the archive has counted for it */
    uint64_t seen_tick; /* of the last round that brought its object */
    uint64_t seen_ms;   /* when the object was looked at in that round, wall clock */
    uint64_t resets;    /* archive.resets when it was made; with another number it is forgotten */
    TAILQ_ENTRY(archived) seen_link, changed_link;
};
TAILQ_HEAD(archived_list, archived);

struct archive_place {
    uint64_t id;
    uint64_t tick, done_tick;     /* of the last round that was opened, and that was completed */
    uint64_t done_ms;             /* archive_end_round */
    uint64_t full_tick;           /* of the last completed round that brought all objects */
    bool all, open;               /* of the last round; open: it is not complete */
    struct archived_list entries; /* by seen_link: the first was brought longest ago */
    TAILQ_ENTRY(archive_place) link;
    size_t key_len;
    uint8_t key[];
};

struct archive {
    struct archive_options options;
    struct map entries, places;
    struct archived_list changed; /* by changed_link: the first changed longest ago */
    TAILQ_HEAD(, archive_place) all_places;
    uint64_t last_place, bytes;
    uint64_t bounded_bytes; /* those of bytes that options.bytes_max bounds */
    uint64_t reset_ms;      /* wall clock: nothing is known of the time before */
    uint64_t resets;        /* how often archive_reset was called */
};

struct archive *archive_new(const struct archive_options *options)
{
    struct archive *archive = mem_need(sizeof *archive);
    archive->options = *options;
    TAILQ_INIT(&archive->changed);
    TAILQ_INIT(&archive->all_places);
    return archive;
}

/* ---- Entries. */

/* Returns true for the series that are not counted for options.bytes_max, and not forgotten to make
 * room. */
static bool is_kept(const struct archived *entry)
{
    return entry->key.kind == ARCHIVE_NODE || entry->key.kind == ARCHIVE_OVERVIEW ||
           entry->key.kind == ARCHIVE_VHOST;
}

static void count(struct archive *archive, struct archived *entry, size_t bytes)
{
    account_add(archive->options.account, ACCOUNT_SAMPLES, (int64_t)bytes - (int64_t)entry->bytes);
    archive->bytes += bytes - entry->bytes;
    if (!is_kept(entry))
        archive->bounded_bytes += bytes - entry->bytes;
    entry->bytes = bytes;
}

static void forget(struct archive *archive, struct archived *entry)
{
    map_remove(&archive->entries, bytes_of(&entry->key, sizeof entry->key));
    TAILQ_REMOVE(&entry->place->entries, entry, seen_link);
    if (!is_kept(entry))
        TAILQ_REMOVE(&archive->changed, entry, changed_link);
    count(archive, entry, 0);
    series_free(&entry->series);
    free(entry);
}

static struct archived *find(const struct archive *archive, const struct archive_place *place,
                             const struct archive_object *object)
{
    const struct archived_key key = {place->id, object->kind, object->number};
    struct archived *entry = map_get(&archive->entries, bytes_of(&key, sizeof key));
    return entry && entry->resets == archive->resets ? entry : NULL;
}

static struct archived *make(struct archive *archive, struct archive_place *place,
                             const struct archive_object *object)
{
    struct archived *entry = mem_need(sizeof *entry), *old;
    uint64_t born_ms = object->born_ms > archive->reset_ms ? object->born_ms : archive->reset_ms;
    entry->key = (struct archived_key){place->id, object->kind, object->number};
    old = map_get(&archive->entries, bytes_of(&entry->key, sizeof entry->key));
    if (old)
        forget(archive, old);
    entry->place = place;
    entry->resets = archive->resets;
    entry->series =
        series_new(&archive->options.retention[archive->options.kinds[object->kind].policy],
                   archive->options.kinds[object->kind].columns, born_ms);
    map_put(&archive->entries, bytes_of(&entry->key, sizeof entry->key), entry);
    TAILQ_INSERT_TAIL(&place->entries, entry, seen_link);
    if (!is_kept(entry))
        TAILQ_INSERT_TAIL(&archive->changed, entry, changed_link);
    return entry;
}

/* ---- Life. */

static void forget_all(struct archive *archive)
{
    struct archive_place *place;
    struct archived *entry;
    TAILQ_FOREACH(place, &archive->all_places, link)
    while ((entry = TAILQ_FIRST(&place->entries)))
        forget(archive, entry); /* NOLINT(clang-analyzer-unix.Malloc) */
}

static void end_place(struct archive *archive, struct archive_place *place)
{
    map_remove(&archive->places, bytes_of(place->key, place->key_len));
    TAILQ_REMOVE(&archive->all_places, place, link);
    free(place);
}

void archive_free(struct archive **archive)
{
    struct archive_place *place;
    if (!*archive)
        return;
    forget_all(*archive);
    while ((place = TAILQ_FIRST(&(*archive)->all_places)))
        end_place(*archive, place); /* NOLINT(clang-analyzer-unix.Malloc) */
    map_free(&(*archive)->entries);
    map_free(&(*archive)->places);
    free(*archive);
    *archive = NULL;
}

/* The series are freed later: those of objects that change when they do, the others at the ends of
 * rounds, as those of objects that are gone. */
void archive_reset(struct archive *archive, uint64_t now_ms)
{
    archive->resets++;
    archive->reset_ms = now_ms;
}

uint64_t archive_bytes(const struct archive *archive)
{
    return archive->bytes;
}

size_t archive_series(const struct archive *archive)
{
    return archive->entries.count;
}

/* ---- Places and rounds. */

/* Longest name of a place, with its kind; vhosts have at most 255 bytes. */
#define PLACE_KEY_MAX 512u

static struct bytes key_of_place(uint8_t key[PLACE_KEY_MAX], char kind, struct bytes name)
{
    CHECK(name.len < PLACE_KEY_MAX);
    key[0] = (uint8_t)kind;
    if (name.len)
        memcpy(key + 1, name.at, name.len);
    return bytes_of(key, 1 + name.len);
}

const struct archive_place *archive_find_place(const struct archive *archive, char kind,
                                               struct bytes name)
{
    uint8_t key[PLACE_KEY_MAX];
    return map_get(&archive->places, key_of_place(key, kind, name));
}

struct archive_place *archive_place(struct archive *archive, char kind, struct bytes name)
{
    uint8_t bytes[PLACE_KEY_MAX];
    struct bytes key = key_of_place(bytes, kind, name);
    struct archive_place *place = map_get(&archive->places, key);
    if (place)
        return place;
    place = mem_need(sizeof *place + key.len);
    place->key_len = key.len;
    memcpy(place->key, key.at, key.len);
    place->id = ++archive->last_place;
    TAILQ_INIT(&place->entries);
    map_put(&archive->places, bytes_of(place->key, place->key_len), place);
    TAILQ_INSERT_TAIL(&archive->all_places, place, link);
    return place;
}

bool archive_begin_round(struct archive *archive, struct archive_place *place, uint64_t tick,
                         bool all)
{
    if (tick == place->tick)
        return false;
    if (tick < place->tick) { /* the wall clock was set back */
        archive_reset(archive, tick * SERIES_TICK_MS);
        place->done_tick = 0;
        place->done_ms = 0;
    }
    place->tick = tick;
    place->all = all;
    place->open = true;
    return true;
}

void archive_end_round(struct archive *archive, struct archive_place *place, uint64_t at_ms)
{
    struct archived *entry;
    place->open = false;
    place->done_tick = place->tick;
    place->done_ms = at_ms;
    if (place->all)
        place->full_tick = place->tick;
    for (unsigned i = 0; i < FORGOTTEN_AT_ONCE && (entry = TAILQ_FIRST(&place->entries)) &&
                         entry->seen_tick < place->full_tick;
         i++)
        forget(archive, entry); /* NOLINT(clang-analyzer-unix.Malloc) */
}

void archive_end_places(struct archive *archive, uint64_t tick)
{
    struct archive_place *place, *next;
    unsigned done = 0;
    for (place = TAILQ_FIRST(&archive->all_places); place && done < FORGOTTEN_AT_ONCE;
         place = next) {
        struct archived *entry;
        next = TAILQ_NEXT(place, link);
        if (place->tick >= tick)
            continue;
        for (; done < FORGOTTEN_AT_ONCE && (entry = TAILQ_FIRST(&place->entries)); done++)
            forget(archive, entry); /* NOLINT(clang-analyzer-unix.Malloc) */
        if (TAILQ_EMPTY(&place->entries))
            end_place(archive, place);
    }
}

/* ---- Adding. */

static void relieve(struct archive *archive, const struct archived *added)
{
    struct archived *entry;
    while (archive->bounded_bytes > archive->options.bytes_max &&
           (entry = TAILQ_FIRST(&archive->changed)) && entry != added)
        forget(archive, entry); /* NOLINT(clang-analyzer-unix.Malloc) */
}

/* When the round before looked at the object, or when it was made, if that is later; 0: it is not
 * known what its numbers were then. */
static uint64_t since_ms(const struct archive_place *place, const struct archived *entry,
                         const struct archive_object *object)
{
    bool first = track_is_empty(&entry->series->of[0]);
    if (first && object->sampled_before)
        return 0;
    if (!first && entry->seen_tick == place->done_tick)
        return entry->seen_ms;
    return place->done_ms > object->born_ms ? place->done_ms : object->born_ms;
}

void archive_add(struct archive *archive, struct archive_place *place,
                 const struct archive_object *object, uint64_t at_ms)
{
    static const uint64_t zeros[TRACK_COLUMNS_MAX];
    struct archived *entry = find(archive, place, object);
    CHECK(place->open);
    if (!entry && !object->changed)
        return;
    if (!entry)
        entry = make(archive, place, object);
    if (object->changed && place->tick > entry->series->tick) {
        uint64_t from_ms = since_ms(place, entry, object);
        const uint64_t *before = from_ms == 0 ? NULL : object->born ? object->born : zeros;
        uint64_t gap_ms = from_ms == 0 ? 0 : at_ms > from_ms ? at_ms - from_ms : 1;
        if (series_add(entry->series, place->tick, gap_ms, before, object->values) &&
            !is_kept(entry)) {
            TAILQ_REMOVE(&archive->changed, entry, changed_link);
            TAILQ_INSERT_TAIL(&archive->changed, entry, changed_link);
        }
    }
    entry->seen_tick = place->tick;
    entry->seen_ms = at_ms;
    TAILQ_REMOVE(&place->entries, entry, seen_link);
    TAILQ_INSERT_TAIL(&place->entries, entry, seen_link);
    count(archive, entry, sizeof *entry + series_bytes(entry->series));
    relieve(archive, entry);
}

/* ---- Telling. */

uint64_t archive_end_ms(const struct archive_place *place, uint64_t now_ms)
{
    uint64_t tick = place && place->done_tick ? place->done_tick : now_ms / SERIES_TICK_MS;
    return tick * SERIES_TICK_MS;
}

/* The growth of a number, which falls only if it is a gauge. */
static double growth_of(const struct archive *archive, enum archive_kind kind, unsigned column,
                        uint64_t growth)
{
    bool fell = growth >> 63;
    if (fell && !(archive->options.kinds[kind].gauges >> column & 1))
        return 0;
    return (double)(int64_t)growth;
}

static void tell_rates(const struct archive *archive, const struct archive_place *place,
                       const struct archived *entry, const struct archive_object *object,
                       uint64_t now_ms, struct told *out)
{
    uint64_t growth[TRACK_COLUMNS_MAX] = {0}, gap_ms;
    if (object->born_ms > archive->reset_ms && now_ms < object->born_ms + SERIES_TICK_MS) {
        gap_ms = now_ms > object->born_ms ? now_ms - object->born_ms : 1;
        for (unsigned i = 0; i < out->columns; i++)
            growth[i] = object->values[i] - (object->born ? object->born[i] : 0);
    } else if (entry && entry->series->tick >= place->done_tick && entry->series->gap_ms) {
        gap_ms = entry->series->gap_ms;
        track_growth(&entry->series->of[0], growth, out->columns);
    } else {
        return; /* nothing has changed in the last interval */
    }
    for (unsigned i = 0; i < out->columns; i++)
        out->rates[i] = growth_of(archive, object->kind, i, growth[i]) * 1000.0 / (double)gap_ms;
}

/* What the numbers of an object without a series were: those of its birth if they have not changed
 * since; otherwise its series was forgotten, and those that it has now are the best that is known.
 */
static void read_without(const struct archive *archive, const struct archive_object *object,
                         uint64_t first_ms, uint64_t step_ms, size_t samples, unsigned columns,
                         uint64_t *out)
{
    const uint64_t *then = object->sampled_before ? object->values : object->born;
    uint64_t born_ms = object->born_ms > archive->reset_ms ? object->born_ms : archive->reset_ms;
    for (size_t i = 0; then && i < samples; i++)
        if (first_ms + i * step_ms >= born_ms)
            memcpy(out + i * columns, then, columns * sizeof *out);
}

void archive_tell(const struct archive *archive, const struct archive_place *place,
                  const struct archive_object *object, const struct archive_question *question,
                  struct told *out)
{
    const struct archived *entry = place ? find(archive, place, object) : NULL;
    *out = (struct told){.columns = archive->options.kinds[object->kind].columns};
    tell_rates(archive, place, entry, object, question->now_ms, out);
    for (unsigned kind = 0; kind < RANGE_KINDS; kind++) {
        const struct sample_range *range = &question->ranges->of[kind];
        struct told_samples *samples = &out->of[kind];
        if (!(question->wanted >> kind & 1) || range->incr_s == 0)
            continue;
        uint64_t step_ms = range->incr_s * UINT64_C(1000);
        samples->count = range_count(range);
        samples->range = *range;
        samples->last_ms = range_last_ms(range, question->end_ms);
        samples->values = mem_need(samples->count * out->columns * sizeof *samples->values);
        uint64_t age_ms = (samples->count - 1) * step_ms;
        uint64_t first_ms = samples->last_ms > age_ms ? samples->last_ms - age_ms : 0;
        if (entry)
            series_read(entry->series, first_ms, step_ms, samples->count, samples->values);
        else
            read_without(archive, object, first_ms, step_ms, samples->count, out->columns,
                         samples->values);
    }
}
