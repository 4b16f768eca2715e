"""The groups of commands, of which only the command that runs is imported.

Uses the rows of options. Used by cli.parser.
"""
