#!/usr/bin/python3
"""Debian's Prometheus reads a Leveret: what RabbitMQ's dashboard and the alerts of its Kubernetes operator ask is there."""
import json
import re
import shutil
import subprocess
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from pathlib import Path

import broker
from client import channel_on, publish
from harness import Skip, eventually, main, test
from http_api import Api

TOP = Path(__file__).resolve().parents[2]
CONTRIB = TOP / "contrib" / "prometheus"
SELECT = 'rabbitmq_cluster="{cluster}", namespace="ns"'

# Overview, as RabbitMQ 3.13.7 and 4.3 have it: what is summed, and what is rated and summed for each node.
GAUGES_313 = ("queue_messages_ready", "queue_messages_unacked", "consumers", "channels", "connections", "queues", "global_publishers")
RATED = ("global_messages_received_total", "global_messages_routed_total", "global_messages_confirmed_total",
         "global_messages_unroutable_dropped_total", "global_messages_unroutable_returned_total",
         "global_messages_redelivered_total", "global_messages_delivered_consume_manual_ack_total",
         "global_messages_delivered_consume_auto_ack_total", "global_messages_acknowledged_total",
         "global_messages_delivered_get_auto_ack_total", "global_messages_get_empty_total",
         "global_messages_delivered_get_manual_ack_total", "global_messages_delivered_total", "global_messages_received_confirm_total",
         "queues_declared_total", "queues_created_total", "queues_deleted_total", "channels_opened_total",
         "channels_closed_total", "connections_opened_total", "connections_closed_total")
GAUGES_43 = ("queue_messages_ready", "queue_messages_unacked", "global_consumers", "global_publishers", "channels", "connections",
             "queues")
DIFFERENCES = (("resident_memory_limit_bytes", "process_resident_memory_bytes"),
               ("disk_space_available_bytes", "disk_space_available_limit_bytes"), ("process_max_fds", "process_open_fds"),
               ("process_max_tcp_sockets", "process_open_tcp_sockets"))
BOUNDS = ("100.0", "1000.0", "10000.0", "100000.0", "1e+06", "1e+07", "5e+07", "1e+08", "+Inf")


def of_313(cluster):
    """Expressions that name the cluster by a join with rabbitmq_identity_info."""
    join = " * on(instance) group_left(rabbitmq_cluster, rabbitmq_node) rabbitmq_identity_info{" + SELECT.format(cluster=cluster) + "}"
    yield from (f"sum(rabbitmq_{name}{join})" for name in GAUGES_313)
    yield from (f"sum(rate(rabbitmq_{name}[5s]){join}) by(rabbitmq_node)" for name in RATED)
    yield from (f"(rabbitmq_{most}{join}) - (rabbitmq_{used}{join})" for most, used in DIFFERENCES)
    yield f"rabbitmq_build_info{join}"


def of_43(cluster, endpoint="aggregated"):
    identity = "rabbitmq_identity_info{" + SELECT.format(cluster=cluster) + f', rabbitmq_endpoint="{endpoint}"' + "}"
    join = f" * on(instance, job) group_left(rabbitmq_cluster, rabbitmq_node) {identity}"
    yield f"count({identity})"
    yield ("rabbitmq_erlang_uptime_seconds * on(instance, job) group_left(rabbitmq_version, erlang_version) rabbitmq_build_info" + join)
    yield from (f"sum(rabbitmq_{name}{join}) by(rabbitmq_node)" for name in GAUGES_43)
    yield from (f"sum(rate(rabbitmq_{name}[5s]){join}) by(rabbitmq_node)" for name in RATED)
    yield from (f"sum(irate(rabbitmq_{name}[5s]){join})" for name in RATED[:1] + ("global_messages_delivered_total",))
    yield from (f"(rabbitmq_{most} - rabbitmq_{used}){join}" for most, used in DIFFERENCES[1:3])
    bucket = lambda le: f'sum(increase(rabbitmq_message_size_bytes_bucket{{le="{le}"}}[5s]){join})'
    yield f"sum(increase(rabbitmq_message_size_bytes_sum[5s]){join}) / sum(increase(rabbitmq_message_size_bytes_count[5s]){join})"
    yield f'{bucket("100.0")} / {bucket("+Inf")}'
    yield from (f'({bucket(above)} - {bucket(below)}) / {bucket("+Inf")}' for below, above in zip(BOUNDS, BOUNDS[1:]))


# The alerts of the operator that need no Kubernetes, without their conditions: what they compare has to be there.
ALERTS = (
    "max_over_time(rabbitmq_alarms_memory_used_watermark[5s]) * on(instance) group_left(rabbitmq_cluster) {identity}",
    "max_over_time(rabbitmq_alarms_free_disk_space_watermark[5s]) * on(instance) group_left(rabbitmq_cluster) {identity}",
    "max_over_time(rabbitmq_alarms_file_descriptor_limit[5s]) * on(instance) group_left(rabbitmq_cluster) {identity}",
    "max_over_time(rabbitmq_process_open_fds[5s]) * on(instance) group_left(rabbitmq_cluster) {identity}",
    "rabbitmq_process_max_fds * on(instance) group_left(rabbitmq_cluster) {identity}",
    "max_over_time(rabbitmq_process_open_tcp_sockets[5s]) * on(instance) group_left(rabbitmq_cluster) {identity}",
    "rabbitmq_process_max_tcp_sockets * on(instance) group_left(rabbitmq_cluster) {identity}",
    "(rate(rabbitmq_connections_closed_total[5s]) + rate(rabbitmq_connections_opened_total[5s])) / rabbitmq_connections"
    " * on(instance) group_left(rabbitmq_cluster) {identity}",
    "predict_linear(rabbitmq_disk_space_available_bytes[5s], 60*60*24) * on(instance) group_left(rabbitmq_cluster) {identity}",
    "rabbitmq_disk_space_available_limit_bytes * on(instance) group_left(rabbitmq_cluster) {identity}",
    "increase(rabbitmq_channel_messages_unroutable_dropped_total[5s]) * on(instance) group_left(rabbitmq_cluster) {identity}",
    "increase(rabbitmq_channel_messages_unroutable_returned_total[5s]) * on(instance) group_left(rabbitmq_cluster) {identity}",
    "count by (namespace) (rabbitmq_build_info * on(instance) group_left(rabbitmq_cluster) {identity})",
)
ALERTS_PER_OBJECT = (
    '((rabbitmq_detailed_queue_consumers{{vhost="/", queue=~".*"}} == 0) + rabbitmq_detailed_queue_messages)'
    " * on(instance) group_left(rabbitmq_cluster) {identity}",
    "(avg_over_time(rabbitmq_detailed_queue_messages[3s]) - avg_over_time(rabbitmq_detailed_queue_messages[3s] offset 1s))"
    " * on(instance) group_left(rabbitmq_cluster) {identity}",
)


class Prometheus:
    def __init__(self, node):
        self.folder = tempfile.mkdtemp(prefix="leveret-prometheus-")
        self.port = broker.free_ports(1)[0]
        target = f"{{targets: ['127.0.0.1:{node.metrics_port}'], labels: {{namespace: ns}}}}"
        families = "[queue_coarse_metrics, queue_metrics, queue_consumer_count]"
        (Path(self.folder) / "p.yml").write_text(f"""
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
rule_files: [{CONTRIB}/leveret.rules.yml]
scrape_configs:
  - {{job_name: leveret, static_configs: [{target}]}}
  - job_name: leveret-detailed
    metrics_path: /metrics/detailed
    params: {{family: {families}}}
    static_configs: [{target}]
""")
        self.log = open(Path(self.folder) / "log", "w")
        self.process = subprocess.Popen(["prometheus", f"--config.file={self.folder}/p.yml", f"--storage.tsdb.path={self.folder}/data",
                                         f"--web.listen-address=127.0.0.1:{self.port}"], stdout=self.log, stderr=self.log,
                                        preexec_fn=broker._die_with_parent)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.process.terminate()
        self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, path, **query):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?" + urllib.parse.urlencode(query)
        with urllib.request.urlopen(url, timeout=30) as answer:
            return json.load(answer)["data"]

    def query(self, expression):
        return self.ask("query", query=expression)["result"]

    def targets(self):
        try:
            return self.ask("targets")["activeTargets"]
        except OSError:
            return []


@test(seconds=120, leveret_only="asks Leveret's rules, too")
def rules_fire_when_they_should(node):
    if not shutil.which("promtool"):
        raise Skip("no promtool")
    told = subprocess.run(["promtool", "test", "rules", "rules_test.yml"], cwd=CONTRIB, text=True, capture_output=True, timeout=100)
    assert told.returncode == 0, told.stdout + told.stderr


@test(own=True, management=True, seconds=300, leveret_only="reads Leveret's ports")
def dashboards_and_alerts_have_their_metrics(node):
    if not shutil.which("prometheus"):
        raise Skip("no prometheus")
    done = threading.Event()

    def traffic():
        with channel_on(node) as channel:
            channel.queue_declare("q", durable=True)
            while not done.wait(0.1):
                publish(channel, "q", b"m", b"m" * 5000)
                channel.basic_publish("", "nowhere", b"m")
                channel.basic_get("q", auto_ack=True)
    busy = threading.Thread(target=traffic)
    busy.start()
    try:
        with Prometheus(node) as prometheus:
            scraped = lambda: [t["health"] for t in prometheus.targets()] == ["up", "up"]
            eventually(scraped, what="both targets up")
            eventually(lambda: len(prometheus.query("rate(rabbitmq_global_messages_received_total[5s])")) > 0, what="a rate")
            cluster = Api(node).get("overview").json["cluster_name"]
            identity = 'max by (instance, rabbitmq_cluster) (rabbitmq_identity_info{job="leveret"})'
            wanted = [*of_313(cluster), *of_43(cluster), *(alert.format(identity=identity) for alert in ALERTS + ALERTS_PER_OBJECT)]
            # rabbitmq_identity_info has two endpoints here, of which the older expressions see one.
            wanted = [re.sub(r'namespace="ns"}', 'namespace="ns", job="leveret"}', expression) for expression in wanted]
            missing = {}

            def asked():
                for expression in wanted:
                    result = prometheus.query(expression)
                    if result and all(sample["value"][1] != "NaN" for sample in result):
                        missing.pop(expression, None)
                return not missing
            missing.update((expression, None) for expression in wanted)
            try:
                eventually(asked, what="all expressions")
            except AssertionError:
                raise AssertionError(f"{len(missing)} of {len(wanted)} give no data: {list(missing)}") from None
            for panel in json.loads((TOP / "contrib" / "grafana" / "leveret.json").read_text())["panels"]:
                for target in panel.get("targets", ()):
                    expression = target["expr"].replace("$instance", ".*").replace("$__rate_interval", "5s")
                    assert prometheus.query(expression), (panel["title"], expression)
            groups = prometheus.ask("rules")["groups"]
            assert all(rule["health"] != "err" for group in groups for rule in group["rules"]), groups
    finally:
        done.set()
        busy.join()


if __name__ == "__main__":
    main()
