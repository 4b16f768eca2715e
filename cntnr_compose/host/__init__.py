"""This host: programs, processes, files, mounts, signals, cgroups, sockets, and what is installed.

Uses core. Used by images, networks, volumes, doctor and all above; only `process` starts programs.
"""
