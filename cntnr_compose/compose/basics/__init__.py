"""What all passes over compose files share: diagnostics, rules by path, values as Go reads and prints them.

Uses core. Used by all of compose.
"""
