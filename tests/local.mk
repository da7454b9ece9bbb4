# The test programs.
