# What src/admin/moving builds: tasks that move messages.
src_admin_libadmin_a_SOURCES += \
	src/admin/moving/move_task.c \
	src/admin/moving/move_task.h \
	src/admin/moving/moves.c \
	src/admin/moving/moves.h
