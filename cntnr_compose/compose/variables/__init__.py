"""`${VARIABLES}` in compose files, and env files.

Uses yaml.source_map and basics. Used by files, merging, render and queries.
"""
