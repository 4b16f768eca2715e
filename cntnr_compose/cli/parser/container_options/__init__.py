"""Options of `cntnr run` and `cntnr create`, as the docker CLI has them.

Uses cli.parser. Used by cli.commands and cli.flows.containers.
"""
