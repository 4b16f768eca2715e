"""What starts the containers of a project without its user: at boot, or as a service of systemd.

Uses host and core. Used by cli.
"""
