"""The version of what commands and supervisors say to each other, for commands that import little."""

from cntnr_compose import __version__

# Incremented with each change of messages, records or behaviour of a supervisor between two source trees of
# one version. Releases differ by their version.
PROTOCOL = 12
HANDED_VERSION = f"{__version__}/{PROTOCOL}"  # of a `HandedExec`
