"""What `doctor` does beside looking: run the commands that mend something, and try a container.

Uses cli.display, doctor and host. Used by cli.commands.
"""
