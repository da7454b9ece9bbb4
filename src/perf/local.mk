# What src/perf builds.
