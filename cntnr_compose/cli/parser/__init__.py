"""Command lines to arguments, from rows of options; the one home of click.

Uses cli.project, cli.display and core. Used by cli.main and commands.
"""
