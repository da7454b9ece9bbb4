# What src/session builds.
