# What src/leveretd builds.
