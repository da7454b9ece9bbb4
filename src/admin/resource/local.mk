# What src/admin/resource builds: the resources of the API, a file for each.
src_admin_libadmin_a_SOURCES += \
	src/admin/resource/about.c \
	src/admin/resource/auth_attempts.c \
	src/admin/resource/bindings.c \
	src/admin/resource/channels.c \
	src/admin/resource/client.c \
	src/admin/resource/client.h \
	src/admin/resource/connections.c \
	src/admin/resource/consumers.c \
	src/admin/resource/details.c \
	src/admin/resource/exchanges.c \
	src/admin/resource/feature_flags.c \
	src/admin/resource/global_parameters.c \
	src/admin/resource/handlers.h \
	src/admin/resource/health.c \
	src/admin/resource/health.h \
	src/admin/resource/health_listeners.c \
	src/admin/resource/health_quorum.c \
	src/admin/resource/limits.c \
	src/admin/resource/memory.c \
	src/admin/resource/messages.c \
	src/admin/resource/overview.c \
	src/admin/resource/permissions.c \
	src/admin/resource/policies.c \
	src/admin/resource/queues.c \
	src/admin/resource/users.c \
	src/admin/resource/vhost_facts.c \
	src/admin/resource/vhost_facts.h \
	src/admin/resource/vhost_protect.c \
	src/admin/resource/vhost_start.c \
	src/admin/resource/vhosts.c \
	src/admin/resource/watermarks.c
