"""The version of what commands and supervisors say to each other, for commands that import little."""

# Incremented with each change of messages, records or behaviour of a supervisor between two source trees of
# one version. Releases differ by their version.
PROTOCOL = 12
