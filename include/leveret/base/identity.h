/* Who Leveret is, and which broker's dialect of AMQP and of the HTTP API it speaks. Any thread.
 *
 * Clients and tools choose their behaviour by product and version: the meaning of basic.qos, which
 * errors to expect, which features there are. So by default they are told the dialect, and Leveret
 * itself where nobody decides anything by it: platform, information, leveret_version, product_name
 * and product_version. */
#ifndef LEVERET_BASE_IDENTITY_H
#define LEVERET_BASE_IDENTITY_H

#define PRODUCT_NAME "Leveret"

/* The one place of the number: server properties, rabbitmq_version, management_version, metrics and
 * definitions take it from here. */
#define DIALECT_PRODUCT "RabbitMQ"
#define DIALECT_VERSION "4.3.6"
/* The number that `compatibility` announces. */
#define DIALECT_VERSION_313 "3.13.7"
#define DIALECT_VERSION_43  "4.3.6"

#endif
