"""CNI plugins, however they are called: configuration lists, and the script of the hook.

Imports little, since `cntnr-hook` has to start quickly. Used by networks.
"""
