"""What commands do with containers of any project, and with those of none.

Uses client, reconcile, compose and cli.project. Used by cli.commands.
"""
