# What src/host builds.
