# The test programs.
include tests/interop/local.mk
