"""Commands of `cntnr bundle`, one file each.

Uses all of cli. Used by cli.parser.command_tree, by name.
"""
