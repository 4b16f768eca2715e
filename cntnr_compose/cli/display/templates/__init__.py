"""What Go templates call and print: functions, and how values look.

Uses core. Used by cli.display.templates.go_template.
"""
