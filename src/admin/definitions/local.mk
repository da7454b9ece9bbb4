# What src/admin/definitions builds: definitions: export and import.
src_admin_libadmin_a_SOURCES += \
	src/admin/definitions/definitions.c \
	src/admin/definitions/definitions.h \
	src/admin/definitions/exporting.h \
	src/admin/definitions/import.c \
	src/admin/definitions/import.h \
	src/admin/definitions/import_answer.c \
	src/admin/definitions/import_bindings.c \
	src/admin/definitions/import_check.c \
	src/admin/definitions/import_directory.c \
	src/admin/definitions/import_keys.c \
	src/admin/definitions/import_preview.c \
	src/admin/definitions/import_vhost.c \
	src/admin/definitions/problems.c \
	src/admin/definitions/problems.h
