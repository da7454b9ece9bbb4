/* Users. The API's PUT creates or replaces a user; commands that only create one,
 * or change a part of one, ask for the user first. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "ctl/api/api.h"
#include "ctl/api/http.h"
#include "ctl/command/command.h"
#include "leveret/base/mem.h"

/* The password from the argument or from standard input, which a terminal does not echo; the caller
 * frees it. Returns NULL after printing an error. */
static char *take_password(const char *argument)
{
    struct termios shown, hidden;
    char *line = NULL;
    size_t room = 0;
    if (argument)
        return mem_need_text(argument, strlen(argument));
    bool terminal = tcgetattr(STDIN_FILENO, &shown) == 0;
    if (terminal) {
        hidden = shown;
        hidden.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
        fputs("Password: ", stderr);
    }
    ssize_t len = getline(&line, &room, stdin);
    if (terminal) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
        fputc('\n', stderr);
    }
    if (len >= 0)
        line[strcspn(line, "\r\n")] = '\0';
    if (len >= 0 && value_text_valid(line))
        return line;
    complain(len < 0 ? "no password on standard input" : "the password is not UTF-8");
    free(line);
    return NULL;
}

static enum outcome find_user(struct session *s, const char *name, bool may_miss,
                              struct value **out)
{
    const struct api_request request = {
        .path = api_path("users", name, NULL), .what = "user", .which = name, .may_miss = may_miss};
    return api_call(s, &request, out);
}

static enum outcome put_user(struct session *s, const char *name, struct value *user)
{
    const struct api_request request = {
        .method = "PUT", .path = api_path("users", name, NULL), .body = user};
    return api_call(s, &request, NULL);
}

/* "a,b" as a list. */
static struct value *tags_of(const char *text)
{
    struct value *tags = value_new_list();
    char *copy = mem_need_text(text ? text : "", text ? strlen(text) : 0), *rest = copy, *tag;
    while ((tag = strsep(&rest, ",")))
        if (*tag)
            value_append(tags, value_new_text(tag));
    free(copy);
    return tags;
}

/* The password of a new user, or its hash. Returns false after printing an error. */
static bool add_password(const struct session *session, struct value *user)
{
    const char *hash = option_text(session->options, OPTION_PRE_HASHED);
    if (hash) {
        value_set(user, "password_hash", value_new_text(hash));
        return true;
    }
    char *password = take_password(session_arg(session, 1));
    if (password)
        value_set(user, "password", value_new_text(password));
    free(password);
    return password != NULL;
}

static enum outcome run_add_user(struct session *session)
{
    const char *name = session->args[0];
    struct value *there = NULL;
    enum outcome outcome = find_user(session, name, true, &there);
    if (outcome != OUTCOME_OK)
        return outcome;
    if (there) {
        complain("user '%s' exists already", name);
        value_free(&there);
        return OUTCOME_EXISTS;
    }
    struct value *user = value_new_map();
    if (!add_password(session, user)) {
        value_free(&user);
        return OUTCOME_LOCAL;
    }
    value_set(user, "tags", tags_of(option_text(session->options, OPTION_TAGS)));
    return put_user(session, name, user);
}

/* From then on the user cannot log in with a password. */
static enum outcome run_clear_password(struct session *session)
{
    const char *name = session->args[0];
    struct value *there = NULL;
    enum outcome outcome = find_user(session, name, false, &there);
    if (outcome != OUTCOME_OK)
        return outcome;
    struct value *user = value_new_map();
    value_set(user, "password_hash", value_new_text(""));
    value_set(user, "tags", value_copy(value_get(there, "tags")));
    value_free(&there);
    return put_user(session, name, user);
}

static enum outcome run_delete_users(struct session *session)
{
    struct value *body = value_new_map(), *names = value_new_list();
    for (int i = 0; i < session->arg_count; i++)
        value_append(names, value_new_text(session->args[i]));
    value_set(body, "users", names);
    const struct api_request request = {
        .method = "POST", .path = api_path("users", "bulk-delete", NULL), .body = body};
    return api_call(session, &request, NULL);
}

static enum outcome run_hash_password(struct session *session)
{
    char *password = take_password(session_arg(session, 0));
    struct value *answer = NULL;
    if (!password)
        return OUTCOME_LOCAL;
    const struct api_request request = {.path = api_path("auth", "hash_password", password, NULL)};
    free(password);
    enum outcome outcome = api_call(session, &request, &answer);
    const char *hash = value_text(value_get(answer, "ok"));
    if (outcome == OUTCOME_OK && hash)
        printf("%s\n", hash);
    value_free(&answer);
    return outcome;
}

static enum outcome run_change_password(struct session *session)
{
    const char *name = session->args[0];
    struct value *there = NULL;
    enum outcome outcome = find_user(session, name, false, &there);
    if (outcome != OUTCOME_OK)
        return outcome;
    char *password = take_password(session_arg(session, 1));
    if (password) {
        struct value *user = value_new_map();
        value_set(user, "password", value_new_text(password));
        value_set(user, "tags", value_copy(value_get(there, "tags")));
        outcome = put_user(session, name, user);
    } else {
        outcome = OUTCOME_LOCAL;
    }
    free(password);
    value_free(&there);
    return outcome;
}

static enum outcome run_set_user_tags(struct session *session)
{
    static const char *const kept[] = {"password_hash", "hashing_algorithm"};
    const char *name = session->args[0];
    struct value *there = NULL;
    enum outcome outcome = find_user(session, name, false, &there);
    if (outcome != OUTCOME_OK)
        return outcome;
    struct value *user = value_new_map(), *tags = value_new_list();
    for (int i = 1; i < session->arg_count; i++)
        if (*session->args[i])
            value_append(tags, value_new_text(session->args[i]));
    value_set(user, "tags", tags);
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        if (value_get(there, kept[i]))
            value_set(user, kept[i], value_copy(value_get(there, kept[i])));
    value_free(&there);
    return put_user(session, name, user);
}

static enum outcome run_delete_user(struct session *session)
{
    const struct api_request request = {.method = "DELETE",
                                        .path = api_path("users", session->args[0], NULL),
                                        .what = "user",
                                        .which = session->args[0]};
    return api_call(session, &request, NULL);
}

/* Logs in as the user. A user without a tag may log in but see nothing, which is no failure. */
static enum outcome run_authenticate(struct session *session)
{
    const struct options *o = session->options;
    struct options other = *o;
    const struct api_request request = {.path = api_path("whoami", NULL), .login_only = true};
    enum outcome outcome = OUTCOME_LOCAL;
    char *password = take_password(session_arg(session, 1));
    struct http_target target = session_target(o);
    target.user = session->args[0];
    target.password = password;
    struct http *own = password ? http_new(&target) : NULL, *before = session->http;
    if (own) {
        other.user = session->args[0];
        session->http = own;
        session->options = &other;
        outcome = api_call(session, &request, NULL);
        session->http = before;
        session->options = o;
    } else {
        free(request.path);
    }
    http_free(&own);
    free(password);
    return outcome;
}

/* clang-format off */
static const struct command commands[] = {
    {"list_users", "[COLUMN...]", {0}, run_list, "users", NEEDS_ADMIN,
     "Users and their tags"},
    {"add_user", "USER [PASSWORD]", {OPTION_TAGS, OPTION_PRE_HASHED}, run_add_user, NULL, NEEDS_ADMIN,
     "Create a user; without PASSWORD it is the first line of standard input"},
    {"delete_user", "USER", {0}, run_delete_user, NULL, NEEDS_ADMIN,
     "Delete a user"},
    {"delete_users", "USER...", {0}, run_delete_users, NULL, NEEDS_ADMIN,
     "Delete several users: all of them, or none when one is not there"},
    {"clear_password", "USER", {0}, run_clear_password, NULL, NEEDS_ADMIN,
     "Let a user log in by no password"},
    {"hash_password", "[PASSWORD]", {0}, run_hash_password, NULL, NEEDS_ADMIN,
     "A salted hash of a password, for definitions and add_user"},
    {"change_password", "USER [PASSWORD]", {0}, run_change_password, NULL, NEEDS_ADMIN,
     "Give a user another password; without PASSWORD it is the first line of standard input"},
    {"authenticate_user", "USER [PASSWORD]", {0}, run_authenticate, NULL, "anybody",
     "Try a user's password"},
    {"set_user_tags", "USER [TAG...]", {0}, run_set_user_tags, NULL, NEEDS_ADMIN,
     "Give a user these tags and no others: administrator, monitoring, policymaker, management, impersonator"},
};
/* clang-format on */
const struct area users_area = AREA("Users", commands);
