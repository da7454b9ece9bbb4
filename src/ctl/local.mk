# What src/ctl builds.
