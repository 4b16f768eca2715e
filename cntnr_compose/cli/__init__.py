"""The command line: parse, run, print. Uses everything below. Used by nobody."""
