# What src/auth builds.
