"""Steps that several commands share: bring up, attach, follow logs.

Uses cli.project and display. Used by cli.commands.
"""
