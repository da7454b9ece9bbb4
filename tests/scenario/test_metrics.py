#!/usr/bin/python3
"""Counters in the metrics: by type of queue, by what became of dead letters, by size, of exchanges; under RabbitMQ's names."""
from client import channel_on, publish
from harness import eventually, main, test
from http_api import Api, parse_metrics

GLOBAL = "rabbitmq_global_messages_"
CLASSIC, QUORUM = "rabbit_classic_queue", "rabbit_quorum_queue"


def metrics(node, path=""):
    return parse_metrics(Api(node, user=None, port=node.metrics_port).call("GET", "/metrics" + path).text)


def of_type(values, family, kind):
    return values[f'{GLOBAL}{family}_total{{protocol="amqp091",queue_type="{kind}"}}']


def died(values, reason, kind, strategy):
    return values[f'{GLOBAL}dead_lettered_{reason}_total{{queue_type="{kind}",dead_letter_strategy="{strategy}"}}']


@test(own=True, management=True, leveret_only="counts nothing else")
def dead_letters(node):
    with channel_on(node) as channel:
        dlx = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead"}
        for queue, arguments in (("dead", {}), ("ttl", {**dlx, "x-message-ttl": 1}), ("short", {**dlx, "x-max-length": 1}),
                                 ("dropped", {"x-max-length": 1}),
                                 ("poison", {**dlx, "x-queue-type": "quorum", "x-delivery-limit": 1}),
                                 ("sure", {**dlx, "x-queue-type": "quorum", "x-dead-letter-strategy": "at-least-once",
                                           "x-overflow": "reject-publish"})):
            channel.queue_declare(queue, durable=True, arguments=arguments)
            publish(channel, queue, b"m", b"m")
        for queue in ("sure", "poison", "poison"):
            channel.basic_reject(channel.basic_get(queue)[0].delivery_tag, requeue=queue == "poison")
        channel.basic_reject(channel.basic_get("poison")[0].delivery_tag, requeue=True)
        channel.basic_reject(channel.basic_get("poison")[0].delivery_tag, requeue=False)
        wanted = {("expired", CLASSIC, "at_most_once"): 2, ("maxlen", CLASSIC, "at_most_once"): 1,
                  ("maxlen", CLASSIC, "disabled"): 1, ("rejected", QUORUM, "at_least_once"): 1,
                  ("confirmed", QUORUM, "at_least_once"): 1}

        def counted():
            values = metrics(node)
            delivery_limit = died(values, "delivery_limit", QUORUM, "at_most_once")
            return delivery_limit >= 1 and all(died(values, *key) == value for key, value in wanted.items())
        eventually(counted, what="all deaths")
        values = metrics(node)
        others = {key: value for key, value in values.items() if "_dead_lettered_" in key and value}
        assert len(others) <= len(wanted) + 2, others


@test(own=True, management=True, leveret_only="counts nothing else")
def publishing(node):
    with channel_on(node) as quiet, channel_on(node) as channel:
        quiet.queue_declare("a", durable=True)
        for queue, arguments in (("b", {}), ("c", {"x-queue-type": "quorum"})):
            channel.queue_declare(queue, durable=True, arguments=arguments)
        channel.exchange_declare("x", "fanout")
        publish(channel, "a", b"m", exchange="x")           # nowhere
        for queue in "abc":
            channel.queue_bind(queue, "x")
        publish(channel, "a", b"m" * 100, b"m" * 101, b"m" * 20000, exchange="x")
        channel.confirm_delivery()
        publish(channel, "a", b"")
        values = metrics(node)
        amqp = '{protocol="amqp091"}'
        for family, count in (("messages_received_total", 5), ("messages_received_confirm_total", 1), ("messages_confirmed_total", 1),
                              ("messages_routed_total", 10), ("messages_unroutable_dropped_total", 1),
                              ("messages_unroutable_returned_total", 0), ("publishers", 1)):
            assert values[f"rabbitmq_global_{family}{amqp}"] == count, (family, values[f"rabbitmq_global_{family}{amqp}"])
        sizes = {bound: values[f'rabbitmq_message_size_bytes_bucket{{protocol="amqp091",le="{bound}"}}'] for bound in (
            "100", "1000", "10000", "100000", "1000000", "10000000", "50000000", "100000000", "+Inf")}
        assert list(sizes.values()) == [3, 4, 4, 5, 5, 5, 5, 5, 5], sizes
        assert values[f"rabbitmq_message_size_bytes_count{amqp}"] == 5
        assert values[f"rabbitmq_message_size_bytes_sum{amqp}"] == 1 + 100 + 101 + 20000
        for family, count in (("published", 5), ("confirmed", 1), ("unroutable_returned", 0), ("unroutable_dropped", 1)):
            assert values[f"rabbitmq_exchange_messages_{family}_total"] == count, family
        each = metrics(node, "/per-object")
        for exchange, published, dropped in (("x", 4, 1), ("", 1, 0)):
            labels = f'{{vhost="/",exchange="{exchange}"}}'
            assert each[f"rabbitmq_exchange_messages_published_total{labels}"] == published, exchange
            assert each[f"rabbitmq_exchange_messages_unroutable_dropped_total{labels}"] == dropped, exchange
        assert (values["rabbitmq_queues_declared_total"], values["rabbitmq_queues_created_total"],
                values["rabbitmq_queues_deleted_total"], values["rabbitmq_unreachable_cluster_peers_count"]) == (3, 3, 0, 0)
        stats = Api(node).get("overview").json["message_stats"]
        assert stats["drop_unroutable"] == 1 and "rate" in stats["drop_unroutable_details"], stats


@test(own=True, management=True, leveret_only="counts nothing else")
def deliveries_by_type(node):
    with channel_on(node) as channel:
        for queue, arguments in (("c", {}), ("q", {"x-queue-type": "quorum"})):
            channel.queue_declare(queue, durable=True, arguments=arguments)
            publish(channel, queue, b"m", b"m")
        tag = channel.basic_get("q")[0].delivery_tag
        channel.basic_nack(tag, requeue=True)
        channel.basic_ack(channel.basic_get("q")[0].delivery_tag)
        channel.basic_get("c", auto_ack=True)
        channel.queue_declare("c", passive=True)        # what was acknowledged before has arrived
        values = metrics(node)
        for family, classic, quorum in (("delivered", 1, 2), ("delivered_get_manual_ack", 0, 2), ("delivered_get_auto_ack", 1, 0),
                                        ("redelivered", 0, 1), ("acknowledged", 0, 1), ("get_empty", 0, 0)):
            assert (of_type(values, family, CLASSIC), of_type(values, family, QUORUM)) == (classic, quorum), family
        each = metrics(node, "/per-object")
        for family, count in (("get_ack", 2), ("get", 0), ("messages_redelivered", 1), ("messages_acked", 1)):
            assert each[f'rabbitmq_queue_{family}_total{{vhost="/",queue="q"}}'] == count, family
        detailed = metrics(node, "/detailed?family=exchange_metrics")
        assert any(key.startswith("rabbitmq_detailed_exchange_messages_published_total{") for key in detailed)


if __name__ == "__main__":
    main(management=True)
