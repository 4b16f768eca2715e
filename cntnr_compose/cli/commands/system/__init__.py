"""Commands of `cntnr system`, one file each; some of them are commands of `cntnr` itself, too.

Uses all of cli. Used by cli.parser.command_tree, by name.
"""
