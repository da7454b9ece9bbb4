# The test programs.
include tests/interop/local.mk
include tests/fuzz/local.mk
