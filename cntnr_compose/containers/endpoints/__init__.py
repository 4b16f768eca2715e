"""Connect containers to networks and disconnect them, whether they run or not.

Uses run_cycle, setup, bundle and networks. Used by supervisor.
"""
