/* A request's body, parsed as JSON.
 *
 * Normal course: a small body is parsed at once. A large one goes to a thread, which parses it and
 * sends a letter back; the request belongs to the thread meanwhile. What can go wrong: no thread
 * can be made (the body is parsed at once); the admin ends (it waits for the threads and frees
 * their requests; their letters come later and free only themselves). */
#include "admin/http/body.h"

#include <pthread.h>
#include <stdlib.h>

#include "admin/http/http.h"
#include "admin/http/request.h"
#include "admin/http/respond.h"
#include "admin/http/upload.h"
#include "leveret/base/check.h"
#include "leveret/base/mem.h"

/* A large body that is being parsed. */
struct parsing {
    struct request *request; /* NULL: the admin has ended and freed it */
    void (*handle)(struct request *request);
    struct loop *loop;
    struct admin *admin;
    struct parsing *next, **link;
    pthread_t thread;
    enum status status;
    char why[VALUE_WHY_MAX];
};

static enum status read_json(struct request *r, char why[VALUE_WHY_MAX])
{
    struct bytes json = upload_json(r->content_type, text_bytes(&r->body));
    return value_parse(json, &r->json, why);
}

static void parsed(struct request *r, enum status status, const char *why,
                   void (*handle)(struct request *request))
{
    text_free(&r->body);
    if (status != STATUS_OK)
        respond_bad_request(r, "not_json: %s", why);
    else if (value_kind_of(r->json) != VALUE_MAP)
        respond_bad_request(r, "not_json: the body must be an object");
    else
        handle(r);
}

static void take_out(struct parsing *parsing)
{
    *parsing->link = parsing->next;
    if (parsing->next)
        parsing->next->link = parsing->link;
}

static void parsed_letter(struct loop *receiver, void *letter, size_t bytes)
{
    struct parsing *parsing;
    (void)bytes;
    memcpy(&parsing, letter, sizeof parsing);
    struct request *r = parsing->request;
    if (receiver && r) {
        pthread_join(parsing->thread, NULL);
        take_out(parsing);
        r->asking = false;
        parsed(r, parsing->status, parsing->why, parsing->handle);
    }
    free(parsing);
}

static void *run(void *context)
{
    struct parsing *parsing = context;
    parsing->status = read_json(parsing->request, parsing->why);
    loop_post(parsing->loop, parsed_letter, &parsing, sizeof parsing);
    return NULL;
}

void body_parse(struct request *request, void (*handle)(struct request *request))
{
    struct admin *admin = request->admin;
    if (request->body.len > BODY_AT_ONCE_BYTES) {
        struct parsing *parsing = mem_need(sizeof *parsing);
        parsing->request = request;
        parsing->handle = handle;
        parsing->loop = admin->options.loop;
        parsing->admin = admin;
        request->asking = true;
        if (pthread_create(&parsing->thread, NULL, run, parsing) == 0) {
            parsing->next = admin->parsing;
            parsing->link = &admin->parsing;
            if (parsing->next)
                parsing->next->link = &parsing->next;
            admin->parsing = parsing;
            return;
        }
        request->asking = false;
        free(parsing);
    }
    char why[VALUE_WHY_MAX] = "";
    enum status status = read_json(request, why);
    parsed(request, status, why, handle);
}

void body_end(struct admin *admin)
{
    while (admin->parsing) {
        struct parsing *parsing = admin->parsing;
        pthread_join(parsing->thread, NULL);
        take_out(parsing);
        struct request *r = parsing->request;
        CHECK(r);
        parsing->request = NULL; /* the letter frees what is left, when it comes */
        r->asking = false;
        http_forget(r);
        request_free(r);
    }
}

/* ---- As a form. */

struct form body_form(const struct request *request)
{
    return form_of(request->json);
}

bool body_ok(struct request *request, const struct form *form)
{
    if (form_ok(form))
        return true;
    respond_bad_request(request, "%s", form->wrong);
    return false;
}
