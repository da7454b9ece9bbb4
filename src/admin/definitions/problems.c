/* Problems of an import: see problems.h. */
#include "admin/definitions/problems.h"

#include <stdlib.h>
#include <string.h>

#include "leveret/base/mem.h"

/* Bytes of a name that a sentence tells; the rest is cut off. */
#define SHOWN_BYTES_MAX 80u

static struct bytes keep(struct arena *arena, struct bytes text)
{
    return text.at ? arena_keep(arena, text) : text;
}

void problems_add(struct problems *problems, struct arena *arena, struct problem problem)
{
    struct text why = {0};
    if (problems->count++ >= PROBLEMS_KEPT_MAX)
        return;
    if (problems->kept == problems->room) {
        problems->room = problems->room ? 2 * problems->room : 16;
        problems->items = mem_need_array(problems->items, problems->room, sizeof *problems->items);
    }
    text_printf(&why, "%.*s%c", (int)PROBLEM_WHY_BYTES_MAX, problem.why, '\0');
    problem.why = arena_keep_text(arena, (const char *)why.at);
    text_free(&why);
    problem.list = keep(arena, problem.list);
    problem.name = keep(arena, problem.name);
    problem.vhost = keep(arena, problem.vhost);
    problems->items[problems->kept++] = problem;
}

void problems_free(struct problems *problems)
{
    free(problems->items);
    *problems = (struct problems){0};
}

static void say_path(const struct problem *problem, struct text *out)
{
    text_add_bytes(out, problem->list);
    if (problem->index != NO_INDEX)
        text_printf(out, "[%u]", problem->index);
}

static void say_name(struct text *out, const char *before, struct bytes name)
{
    int shown = (int)(name.len < SHOWN_BYTES_MAX ? name.len : SHOWN_BYTES_MAX);
    if (name.at)
        text_printf(out, "%s'%.*s'", before, shown, (const char *)name.at);
}

static void say(const struct problem *problem, struct text *out)
{
    say_path(problem, out);
    say_name(out, " ", problem->name);
    say_name(out, " in vhost ", problem->vhost);
    text_printf(out, ": %s", problem->why);
}

static void say_first(const struct problems *problems, size_t max, const char *between,
                      struct text *out)
{
    size_t shown = problems->kept < max ? problems->kept : max;
    for (size_t i = 0; i < shown; i++) {
        if (i)
            text_printf(out, "%s", between);
        say(&problems->items[i], out);
    }
    if (problems->count > shown)
        text_printf(out, "%sand %zu more", between, problems->count - shown);
}

void problems_say(const struct problems *problems, struct text *out)
{
    say_first(problems, PROBLEMS_IN_REASON_MAX, "; ", out);
}

void problems_say_lines(const struct problems *problems, struct text *out)
{
    say_first(problems, PROBLEMS_KEPT_MAX, "\n", out);
}

void problems_write(const struct problems *problems, struct answer *answer, const char *key,
                    const char *key_more)
{
    struct text path = {0};
    if (problems->count == 0)
        return;
    answer_array(answer, key);
    for (size_t i = 0; i < problems->kept; i++) {
        const struct problem *problem = &problems->items[i];
        path.len = 0;
        say_path(problem, &path);
        answer_object(answer, NULL);
        answer_bytes(answer, "path", text_bytes(&path));
        if (problem->name.at)
            answer_bytes(answer, "name", problem->name);
        if (problem->vhost.at)
            answer_bytes(answer, "vhost", problem->vhost);
        answer_text(answer, "why", problem->why);
        answer_end(answer);
    }
    answer_end(answer);
    if (problems->count > problems->kept)
        answer_uint(answer, key_more, problems->count - problems->kept);
    text_free(&path);
}
