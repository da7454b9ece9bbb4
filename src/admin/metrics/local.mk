# What src/admin/metrics builds: metrics and totals.
src_admin_libadmin_a_SOURCES += \
	src/admin/metrics/metrics.c \
	src/admin/metrics/metrics.h \
	src/admin/metrics/metrics_counters.c \
	src/admin/metrics/metrics_objects.c \
	src/admin/metrics/process.c \
	src/admin/metrics/process.h \
	src/admin/metrics/totals.c \
	src/admin/metrics/totals.h
