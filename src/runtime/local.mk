# What src/runtime builds.
