"""What the commands of `cntnr system` do: versions, what a machine offers, what takes room and may go.

Uses client, doctor, images, volumes, cli.flows.images and cli.display. Used by cli.commands.
"""
