"""What commands show of containers of all projects, or copy out of them and into them.

Uses client, cli.project and cli.display. Used by cli.commands.
"""
