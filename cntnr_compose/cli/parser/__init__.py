"""Command lines to arguments, from rows of options; the one home of click.

Uses core. Used by cli.main and commands.
"""
