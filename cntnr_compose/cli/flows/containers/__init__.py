"""What the commands of `cntnr container` do, with the containers of all projects and those of none.

Uses client, reconcile, cli.project and cli.display. Used by cli.commands.
"""
