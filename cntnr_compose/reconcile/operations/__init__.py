"""Operations of a plan that take more than a line to make: containers of services, pre_start hooks.

Uses model and the rest of reconcile below plans. Used by the plans of reconcile.
"""
