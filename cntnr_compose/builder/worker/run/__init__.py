"""Run the programs of RUN: mounts, network, output.

Uses builder, containers and host. Used by builder.worker.
"""
