# The page in a browser: tests/page/run.
EXTRA_DIST += \
	tests/page/admin.test.mjs \
	tests/page/all.mjs \
	tests/page/harness.mjs \
	tests/page/live.test.mjs \
	tests/page/picture.mjs \
	tests/page/queues.test.mjs \
	tests/page/run \
	tests/page/walk.test.mjs
