"""Output of `config`: YAML, JSON, where each value comes from.

Uses the other folders of compose. Used by cli.
"""
