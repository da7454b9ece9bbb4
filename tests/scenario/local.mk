# The scenario tests: scripts/test runs them (tests/scenario/run). What they need built they build themselves, beside the
# broker that they test.
EXTRA_DIST += \
	scripts/soak \
	tests/scenario/broker.py \
	tests/scenario/cases_connection.py \
	tests/scenario/cases_consume.py \
	tests/scenario/cases_lifetime.py \
	tests/scenario/cases_publish.py \
	tests/scenario/cases_topology.py \
	tests/scenario/client.py \
	tests/scenario/clients/client_php.php \
	tests/scenario/clients/celery_jobs.py \
	tests/scenario/clients/client_c.c \
	tests/scenario/clients/client_go.go \
	tests/scenario/clients/client_js.js \
	tests/scenario/clients/client_ruby.rb \
	tests/scenario/clients/tools.sh \
	tests/scenario/fast.py \
	tests/scenario/harness.py \
	tests/scenario/http_api.py \
	tests/scenario/rabbitmq-node \
	tests/scenario/run \
	tests/scenario/small_disk.py \
	tests/scenario/synced.c \
	tests/scenario/test_access.py \
	tests/scenario/test_alarms.py \
	tests/scenario/test_clients.py \
	tests/scenario/test_consumers.py \
	tests/scenario/test_crash.py \
	tests/scenario/test_ctl.py \
	tests/scenario/test_delay.py \
	tests/scenario/test_disk.py \
	tests/scenario/test_exchanges.py \
	tests/scenario/test_hostile.py \
	tests/scenario/test_http.py \
	tests/scenario/test_http_bounds.py \
	tests/scenario/test_identity.py \
	tests/scenario/test_input.py \
	tests/scenario/test_limits.py \
	tests/scenario/test_notices.py \
	tests/scenario/test_pika.py \
	tests/scenario/test_queues.py \
	tests/scenario/test_scale.py \
	tests/scenario/test_policy.py \
	tests/scenario/test_space.py \
	tests/scenario/test_users.py \
	tests/scenario/test_vanish.py
