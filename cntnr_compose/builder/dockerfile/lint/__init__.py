"""Check Dockerfiles by the rules of BuildKit's build checks, as far as they need no build. Pure.

Uses the rest of builder.dockerfile. Used by builder.
"""
