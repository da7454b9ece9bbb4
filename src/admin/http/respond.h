/* Answers to requests. Each function but respond_code_name answers the request and frees it.
 * Thread: the main thread. */
#ifndef LEVERET_ADMIN_RESPOND_H
#define LEVERET_ADMIN_RESPOND_H

#include "leveret/base/bytes.h"
#include "leveret/base/status.h"
#include "leveret/base/text.h"

struct answer;
struct http_field;
struct request;

/* JSON; the answer's text is taken and left empty. */
void respond_json(struct request *request, int code, struct answer *answer);
/* 200 and JSON that a browser keeps as a file of this name; the text is taken and left empty. Bytes
 * of the name other than ASCII letters, digits, '.', '-' and '_' become '_'. */
void respond_download(struct request *request, struct answer *answer, const char *name);
/* 200 and []. */
void respond_empty_list(struct request *request);
/* No body. */
void respond_empty(struct request *request, int code);
/* No body, and one more field in the head. */
void respond_with(struct request *request, int code, struct http_field field);
/* 201 for what was created, 204 for what was there already. */
void respond_created(struct request *request, bool created);
/* 201 with the header field Location. */
void respond_location(struct request *request, const char *location);
/* A body of another type than JSON; the text is taken and left empty. */
void respond_text(struct request *request, int code, const char *type, struct text *text);
/* Ends an answer that was streamed: http_stream_begin. */
void respond_streamed(struct request *request);

/* ---- Errors. */

/* {"error": error, "reason": reason} */
void respond_error(struct request *request, int code, const char *error, const char *reason);
/* 400 bad_request with the reason. */
void respond_bad_request(struct request *request, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* 400 bad_request with the pair [what, value] for a reason, as in ["not_base64", "%%"]. */
void respond_bad_pair(struct request *request, const char *what, struct bytes value);
void respond_not_found(struct request *request); /* 404 */
/* A vhost that is not open: 503 with the reason when it is down, 404 when there is none. */
void respond_vhost_missing(struct request *request, struct bytes vhost);
void respond_refused(struct request *request);           /* 401 not_authorised "Access refused." */
void respond_login_failed(struct request *request);      /* 401, and asks for a password */
void respond_too_many_attempts(struct request *request); /* 429 */
/* 503: the account has no room for the answer. An answer that is being streamed is cut off. */
void respond_no_room(struct request *request);
/* An error of the broker's (not OK) as an HTTP code, with text for a reason; NULL or "": the
 * status's own text. */
void respond_status(struct request *request, enum status status, const char *text);
/* After a deletion: 204, 404 when there was no such thing, else as respond_status. */
void respond_deleted(struct request *request, enum status status);

/* The AMQP reply code and name of a status: "404 NOT_FOUND". */
const char *respond_code_name(enum status status);

#endif
