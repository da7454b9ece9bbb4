# What src/admin builds.
