# What src/base builds.
