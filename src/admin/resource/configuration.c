/* Part of the api: the configuration that is in effect: each key with its value and where that came
 * from. Secrets are shown as "***": whoever answers for the keys sees to that. */
#include "admin/resource/configuration.h"

#include "admin/http/access.h"
#include "admin/json/answer.h"

static void write_setting(void *context, const char *key, const char *value, const char *origin)
{
    struct answer *a = context;
    if (!answer_object(a, NULL))
        return;
    answer_text(a, "key", key);
    answer_text(a, "value", value);
    answer_text(a, "origin", origin);
    answer_end(a);
}

static void show_effective(struct request *r)
{
    const struct admin_options *options = &r->admin->options;
    struct answer a = {0};
    answer_array(&a, NULL);
    if (options->each_setting)
        options->each_setting(options->settings, write_setting, &a);
    answer_end(&a);
    respond_json(r, 200, &a);
}

const struct route api_configuration[] = {
    {METHOD_GET, "/api/config/effective", show_effective, ACCESS_ADMINISTRATOR, BODY_SMALL},
    ROUTES_END,
};
