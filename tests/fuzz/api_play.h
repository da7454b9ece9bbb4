/* The HTTP API without HTTP: requests go to the real routes and handlers, over a node in memory
 * with one connected client; only the servers and their sockets are played. One at a time. */
#ifndef LEVERET_TESTS_API_PLAY_H
#define LEVERET_TESTS_API_PLAY_H

#include "admin/http/request.h"

struct api;

struct api_answer {
    int code;
    bool json;
    struct text body; /* free it */
};

struct api *api_new(void);
void api_free(struct api **api);

/* Asks as the user "guest", or as others if they are named; a HEAD is a GET. path may have a query.
 * Runs until the answer is there, and checks of it what holds for every answer: it comes, once,
 * with a code that the API has, and what is called JSON is JSON. */
void api_ask(struct api *api, enum http_method method, struct bytes path, struct bytes body,
             const char *user, struct api_answer *out);

#endif
