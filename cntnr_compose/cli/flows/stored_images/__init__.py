"""What the commands of `cntnr image` do: list, describe, name, copy, save, load and remove images.

Uses images, client and cli.display. Used by cli.commands.
"""
