# What src/net builds.
