/* What the files of health checks share. Thread: main. */
#ifndef LEVERET_ADMIN_HEALTH_H
#define LEVERET_ADMIN_HEALTH_H

struct answer;
struct request;

/* 200 {"status": "ok"} */
void health_respond_ok(struct request *r);
/* Begins the object of a failed check, which answers 503. */
void health_begin_failed(struct answer *a, const char *reason);

#endif
