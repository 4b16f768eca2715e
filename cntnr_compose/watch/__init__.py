"""Changes of the files that services watch: which there are, and which actions they take.

Uses builder.dockerfile, client and host. Used by cli.
"""
