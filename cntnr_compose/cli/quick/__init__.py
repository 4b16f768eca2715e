"""Plain command lines of frequent verbs, answered before the parser and libraries are imported.

Modules here, and what they need of other packages, import only what the interpreter has loaded or loads in no
time: no typing, re, pathlib, contextlib, msgspec. ``run`` of each takes the words behind the verb and returns
the exit code; or None, before anything was printed or changed, where the command line or what it finds is not
plain: then the ordinary command runs. Uses display, and what is below cli. Used by main.
"""
