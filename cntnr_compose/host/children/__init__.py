"""Start processes that are more than a program: forks of this one, and programs with limits.

Uses the kernel; used by whoever starts such processes.
"""
