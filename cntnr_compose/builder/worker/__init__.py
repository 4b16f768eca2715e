"""The process that builds inside the namespaces: RUN, COPY, layers, the image.

Uses builder.dockerfile, images, host. Started by builder.build.
"""
