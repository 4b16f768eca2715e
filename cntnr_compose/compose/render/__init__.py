"""Output of `config`: YAML, JSON, and where each value is written.

Uses compose.merging and all below it. Used by compose.load and cli.
"""
