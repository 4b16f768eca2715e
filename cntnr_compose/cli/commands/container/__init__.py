"""Commands of `cntnr container`, one file each; most of them are commands of `cntnr` itself, too.

Uses all of cli. Used by cli.parser.command_tree, by name.
"""
