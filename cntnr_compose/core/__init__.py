"""Words that every package shares: errors, events, values, units, names, paths.

Uses nothing of ours. Used by all.
"""
