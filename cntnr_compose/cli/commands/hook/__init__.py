"""Commands of `cntnr-hook`, which OCI runtimes call, one file each.

Uses networks.hook. Used by cli.parser.command_tree, by name.
"""
