"""Apply instructions that change the settings of a stage only, and write the history of an image. Pure.

Uses builder.dockerfile's parser, stages and values. Used by builder.
"""
