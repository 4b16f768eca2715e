"""Find images by what users call them: names, digests, beginnings of ids; change their names.

Uses the image store. Used by cli.
"""
