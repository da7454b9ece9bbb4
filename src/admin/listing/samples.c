/* Samples: of each object the last two looks. When the newer one is old enough it becomes the older
 * one, and rates are counted from that. */
#include "admin/listing/samples.h"

#include <stdlib.h>

#include "leveret/base/map.h"
#include "leveret/base/mem.h"

struct look {
    uint64_t at_ms; /* when it was; 0: there was none */
    uint64_t values[SAMPLE_VALUES];
};

struct sample {
    struct look base, last;
    uint64_t seen_ms;
    size_t key_len;
    uint8_t key[];
};

struct samples {
    struct map map;
};

struct samples *samples_new(void)
{
    return mem_need(sizeof(struct samples));
}

void samples_forget(struct samples *samples)
{
    size_t at = 0;
    struct sample *sample;
    while ((sample = map_next(&samples->map, &at)))
        free(sample);
    map_free(&samples->map);
}

void samples_free(struct samples **samples)
{
    if (!*samples)
        return;
    samples_forget(*samples);
    free(*samples);
    *samples = NULL;
}

static struct sample *find(struct samples *samples, struct bytes key)
{
    struct sample *sample = map_get(&samples->map, key);
    if (sample)
        return sample;
    sample = mem_need(sizeof *sample + key.len);
    memcpy(sample->key, key.at, key.len);
    sample->key_len = key.len;
    map_put(&samples->map, bytes_of(sample->key, key.len), sample);
    return sample;
}

void samples_look(struct samples *samples, struct bytes key, uint64_t now_ms,
                  const uint64_t *values, size_t count, double *rates)
{
    struct sample *sample = find(samples, key);
    sample->seen_ms = now_ms;
    if (sample->last.at_ms == 0 || now_ms - sample->last.at_ms >= SAMPLE_PERIOD_MS) {
        sample->base = sample->last;
        sample->last.at_ms = now_ms;
        memcpy(sample->last.values, values, count * sizeof *values);
    }
    uint64_t passed_ms = sample->base.at_ms ? now_ms - sample->base.at_ms : 0;
    for (size_t i = 0; i < count; i++) {
        double grown = (double)values[i] - (double)sample->base.values[i];
        rates[i] = passed_ms ? grown * 1000.0 / (double)passed_ms : 0.0;
    }
}

/* Objects with samples; with more, samples_have_room says that there is no room for idle ones, so
 * that a list of very many idle objects takes no memory for each. */
#define SAMPLES_FOR_IDLE_MAX 5000u

bool samples_have_room(const struct samples *samples)
{
    return samples->map.count < SAMPLES_FOR_IDLE_MAX;
}

void samples_sweep(struct samples *samples, uint64_t now_ms)
{
    struct sample **old = NULL;
    size_t count = 0, at = 0;
    struct sample *sample;
    while ((sample = map_next(&samples->map, &at))) {
        if (now_ms - sample->seen_ms <= SAMPLE_KEEP_MS)
            continue;
        if (count % 64 == 0)
            old = mem_need_array(old, count + 64, sizeof(struct sample *));
        old[count++] = sample;
    }
    for (size_t i = 0; i < count; i++) {
        map_remove(&samples->map, bytes_of(old[i]->key, old[i]->key_len));
        free(old[i]);
    }
    free(old);
}

void samples_key(struct text *key, const char *kind, struct bytes vhost, struct bytes name)
{
    key->len = 0;
    text_add(key, kind, strlen(kind) + 1);
    text_add_bytes(key, vhost);
    text_add(key, "", 1);
    text_add_bytes(key, name);
}
