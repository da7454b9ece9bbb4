# What src/admin/sampling builds: who brings the numbers of all objects to the archive.
src_admin_libadmin_a_SOURCES += \
	src/admin/sampling/broker_numbers.c \
	src/admin/sampling/broker_numbers.h \
	src/admin/sampling/sampler.c \
	src/admin/sampling/sampler.h
