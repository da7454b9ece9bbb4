/* Part of the api: global parameters, and the cluster's name, which is one of them. They are kept
 * in the directory (auth), which the main thread may read and change directly. */
#include "admin/resource/global_parameters.h"

#include <stdlib.h>

#include "admin/http/body.h"
#include "admin/listing/listing.h"
#include "leveret/auth/parameters.h"

/* ---- Reading. */

struct parameter_row {
    const char *name, *json;
};

static void render(struct request *r, struct answer *a, const struct row *row)
{
    const struct parameter_row *parameter = row->info;
    (void)r;
    answer_text(a, "name", parameter->name);
    answer_json(a, "value", parameter->json);
}

static struct bytes name_parameter(const struct row *row)
{
    return bytes_of_text(((const struct parameter_row *)row->info)->name);
}

static void order(const struct row *row, struct listing_order *order)
{
    order->keys[0] = name_parameter(row);
}

static const struct listing_kind listing_parameters = {
    .render = render, .order = order, .name = name_parameter};

/* Copies the parameter: the list may be written in later turns, when the directory has changed. */
static void collect(void *context, const char *name, const char *json)
{
    struct listing *listing = context;
    struct arena *arena = listing_arena(listing);
    const struct parameter_row row = {
        arena_keep_text(arena, name),
        arena_keep_text(arena, json),
    };
    listing_add(listing, bytes_of("", 0), listing_keep(listing, &row, sizeof row));
}

static void list_parameters(struct request *r)
{
    struct listing *listing = listing_new(r, &listing_parameters);
    auth_each_parameter(r->admin->options.auth, collect, listing);
    listing_write(r, listing);
}

static const char *name_in_path(const struct request *r)
{
    return (const char *)r->args[0].at;
}

static void get_parameter(struct request *r)
{
    const struct parameter_row parameter = {
        name_in_path(r), auth_parameter(r->admin->options.auth, name_in_path(r))};
    const struct row row = {.info = &parameter};
    if (parameter.json)
        listing_respond_one(r, &listing_parameters, &row);
    else
        respond_not_found(r);
}

static void write_one(void *context, const char *name, const char *json)
{
    struct answer *a = context;
    answer_object(a, NULL);
    answer_text(a, "name", name);
    answer_json(a, "value", json);
    answer_end(a);
}

void api_global_parameters_write(struct answer *a, struct auth *auth)
{
    answer_array(a, "global_parameters");
    auth_each_parameter(auth, write_one, a);
    answer_end(a);
}

/* ---- Changing. */

/* Reads the field "value" as a zero-ended text. Returns false when it is missing or an error has
 * been noted. */
static bool read_value(struct form *form, struct text *json)
{
    static const char *const keys[] = {"value", NULL};
    form_need(form, keys);
    if (!form_ok(form))
        return false;
    if (value_write(value_get(form->object, "value"), json) != STATUS_OK)
        form_refuse(form, "value", "cannot be written as JSON");
    text_add(json, "", 1);
    return form_ok(form);
}

static void check(struct form *form, const char *name, const struct text *json)
{
    const char *why = auth_check_parameter(name, (const char *)json->at);
    if (why)
        form_refuse(form, "parameter", "%s", why);
}

void api_global_parameter_check(struct form *form, const char *name)
{
    struct text json = {0};
    if (read_value(form, &json))
        check(form, name, &json);
    text_free(&json);
}

enum status api_global_parameter_from_json(struct auth *auth, const char *name, struct form *form,
                                           bool *created)
{
    struct text json = {0};
    enum status status = STATUS_MALFORMED;
    *created = false;
    if (read_value(form, &json))
        check(form, name, &json);
    if (form_ok(form)) {
        status = auth_put_parameter(auth, name, (const char *)json.at, created);
        if (status == STATUS_LIMIT)
            form_refuse(form, "parameter", "there are at most %u of them, with %u bytes together",
                        PARAMETERS_MAX, PARAMETERS_BYTES_MAX);
    }
    text_free(&json);
    return status;
}

static void put_parameter(struct request *r)
{
    struct form form = body_form(r);
    bool created;
    enum status status =
        api_global_parameter_from_json(r->admin->options.auth, name_in_path(r), &form, &created);
    if (!body_ok(r, &form))
        return;
    if (status == STATUS_OK)
        respond_created(r, created);
    else
        respond_status(r, status, NULL);
}

static void delete_parameter(struct request *r)
{
    respond_deleted(r, auth_delete_parameter(r->admin->options.auth, name_in_path(r)));
}

/* ---- The cluster's name. */

static void get_cluster_name(struct request *r)
{
    struct answer a = {0};
    answer_object(&a, NULL);
    answer_text(&a, "name", admin_cluster_name(r->admin));
    answer_end(&a);
    respond_json(r, 200, &a);
}

static void put_cluster_name(struct request *r)
{
    static const char *const keys[] = {"name", NULL};
    struct form form = body_form(r);
    struct answer json = {0};
    bool created;
    form_need(&form, keys);
    answer_text(&json, NULL, form_text(&form, "name", ""));
    text_add(&json.text, "", 1);
    if (form_ok(&form))
        check(&form, PARAMETER_CLUSTER_NAME, &json.text);
    if (body_ok(r, &form)) {
        enum status status = auth_put_parameter(r->admin->options.auth, PARAMETER_CLUSTER_NAME,
                                                (const char *)json.text.at, &created);
        if (status == STATUS_OK)
            respond_empty(r, 204);
        else
            respond_status(r, status, NULL);
    }
    answer_free(&json);
}

/* ---- Routes. */

const struct route api_global_parameters[] = {
    {METHOD_GET, "/api/cluster-name", get_cluster_name, ACCESS_USER, BODY_SMALL},
    {METHOD_PUT, "/api/cluster-name", put_cluster_name, ACCESS_ADMINISTRATOR, BODY_SMALL},
    {METHOD_GET, "/api/global-parameters", list_parameters, ACCESS_POLICYMAKER, BODY_SMALL},
    {METHOD_GET, "/api/global-parameters/:n", get_parameter, ACCESS_POLICYMAKER, BODY_SMALL},
    {METHOD_PUT, "/api/global-parameters/:n", put_parameter, ACCESS_POLICYMAKER, BODY_NAMES},
    {METHOD_DELETE, "/api/global-parameters/:n", delete_parameter, ACCESS_POLICYMAKER, BODY_SMALL},
    ROUTES_END,
};
