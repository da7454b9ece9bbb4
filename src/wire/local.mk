# What src/wire builds.
