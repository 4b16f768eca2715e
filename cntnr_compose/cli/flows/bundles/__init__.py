"""What the commands of `cntnr bundle` do: flags of a bundle, lists, and running one in the foreground.

Uses bundles, client and cli.flows.containers. Used by cli.commands.
"""
