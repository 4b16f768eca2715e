"""Carry out builds in a process inside the namespaces: RUN, COPY, layers, the image.

Uses builder, containers, images and host. Started by builder.build.
"""
