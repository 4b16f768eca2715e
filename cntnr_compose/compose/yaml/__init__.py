"""YAML: text to trees, trees to text, and the positions of values.

Uses basics. Used by variables, files, merging, render and load.
"""
