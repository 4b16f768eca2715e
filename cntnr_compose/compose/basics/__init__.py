"""What all passes over compose files share: diagnostics, rules by path, Go's ways with values.

Uses core. Used by all of compose.
"""
