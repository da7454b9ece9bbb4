# What src/admin builds: a library of the folders below.
noinst_LIBRARIES += src/admin/libadmin.a
src_admin_libadmin_a_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
src_admin_libadmin_a_SOURCES = include/leveret/admin/admin.h src/admin/admin.c \
	src/admin/route_table.c src/admin/route_table.h

include src/admin/json/local.mk
include src/admin/history/local.mk
include src/admin/http/local.mk
include src/admin/listing/local.mk
include src/admin/metrics/local.mk
include src/admin/sampling/local.mk
include src/admin/resource/local.mk
include src/admin/moving/local.mk
include src/admin/definitions/local.mk
include src/admin/page/local.mk
