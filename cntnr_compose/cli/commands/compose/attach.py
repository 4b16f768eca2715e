"""`cntnr compose attach`: connect to the standard streams of a running container."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.options import argument, command, detach_keys, flag, index

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions


@command("SERVICE")
@argument("service")
@detach_keys
@index
@flag("--no-stdin", help="Only show output.")
@flag("--sig-proxy", default=True, help="Pass signals on to the process (the default).")
def attach(
    options: "ProjectOptions",
    service: str,
    index: int,
    detach_keys: str,
    *,
    no_stdin: bool,
    sig_proxy: bool,
) -> int:
    """Attach to a running container: show its output, and pass input and signals on to it."""
    from cntnr_compose.cli.flows.containers import attachment
    from cntnr_compose.cli.project.selection import find_running
    from cntnr_compose.cli.project.session import NotInDryRun
    from cntnr_compose.client.observe import observe_project

    if options.dry_run:
        error = NotInDryRun("run")
        error.hint = ""
        raise error
    keys = attachment.read_detach_keys(detach_keys)
    containers = observe_project(options.resolve_name()).containers
    container = find_running(containers, service, index)
    wish = attachment.AttachOptions(stdin=not no_stdin, signals=sig_proxy, detach_keys=keys)
    attachment.check_attachable(container, wish)
    return attachment.attach(container, wish)
