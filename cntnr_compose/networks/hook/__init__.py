"""`cntnr-hook`: connect a container that any OCI runtime creates to networks of CNI lists, as its hook.

It has to start quickly: nothing here imports msgspec or asyncio. Uses host. Used by the command line.
"""
