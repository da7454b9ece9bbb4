# What src/journal builds.
