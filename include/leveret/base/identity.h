/* The names and versions that Leveret announces, and which broker's dialect of AMQP and of the HTTP
 * API it speaks. Thread: any.
 *
 * Clients and tools choose their behaviour by product and version: the meaning of basic.qos, which
 * errors to expect, which features there are. So by default product and version name the dialect.
 * Leveret itself is named where no client decides anything by it: platform, information,
 * leveret_version, product_name and product_version. */
#ifndef LEVERET_BASE_IDENTITY_H
#define LEVERET_BASE_IDENTITY_H

#define PRODUCT_NAME "Leveret"

/* The only place where the version is written: server properties, rabbitmq_version,
 * management_version, metrics and definitions take it from here. */
#define DIALECT_PRODUCT "RabbitMQ"
#define DIALECT_VERSION "4.3.6"
/* The versions that the key `compatibility` announces. */
#define DIALECT_VERSION_313 "3.13.7"
#define DIALECT_VERSION_43  "4.3.6"

#endif
