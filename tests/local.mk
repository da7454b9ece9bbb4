# The test programs.
include tests/interop/local.mk
include tests/fuzz/local.mk
include tests/scenario/local.mk
include tests/differential/local.mk
include tests/page/local.mk
include tests/sim/local.mk

dist_check_SCRIPTS = tests/check-includes tests/check-tree tests/check-calls tests/check-differences
TESTS += tests/check-includes tests/check-tree tests/check-calls tests/check-differences
EXTRA_DIST += scripts/attack tests/attack/amqp_attacks.py tests/attack/frame.py \
	tests/attack/http_attacks.py
EXTRA_DIST += scripts/lib.sh scripts/packages scripts/rabbitmq-newest scripts/run scripts/test scripts/count-results \
	scripts/lint scripts/simulate scripts/valgrind .ci/run
