"""The kernel of this host: processes, files, signals, cgroups, sockets.

Uses core. Used by images, networks, volumes, doctor and all above.
"""
