"""Find and read what a build takes from this machine: files, SSH agents.

Uses host and builder.dockerfile. Used by builder.
"""
