"""Commands of `cntnr builder`, one a file.

Uses cli.flows and cli.display. Used by the command tree.
"""
