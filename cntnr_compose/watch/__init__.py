"""Changes of the files that services watch: which there are, and which actions they take.

Uses builder, client, reconcile, containers.files and images. Used by cli.
"""
