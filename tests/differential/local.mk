# The differential test: scripts/test runs it (tests/differential/run).
EXTRA_DIST += \
	tests/differential/README.md \
	tests/differential/api \
	tests/differential/api-differences \
	tests/differential/api-recorded-310.json \
	tests/differential/api-recorded-43.json \
	tests/differential/api-requests \
	tests/differential/conversation.py \
	tests/differential/conversations \
	tests/differential/differences.py \
	tests/differential/explore \
	tests/differential/known-differences \
	tests/differential/player.py \
	tests/differential/run \
	tests/differential/side.py \
	tests/differential/talk.py \
	tests/differential/wire.py
