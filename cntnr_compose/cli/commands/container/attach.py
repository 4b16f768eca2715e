"""`cntnr attach` and `cntnr container attach`: connect to the standard streams of a running container."""

from cntnr_compose.cli.parser import options


@options.command("CONTAINER", of_project=False)
@options.argument("container")
@options.detach_keys
@options.flag("--no-stdin", help="Only show output.")
@options.flag("--sig-proxy", default=True, help="Pass signals on to the process (the default).")
def attach(container: str, detach_keys: str, *, no_stdin: bool, sig_proxy: bool) -> int:
    """Attach to a running container: show its output, and pass input and signals on to it.

    `ctrl-p ctrl-q` detach from one that has a terminal. The exit code is the container's.
    """
    from cntnr_compose.cli.flows.containers import attachment
    from cntnr_compose.cli.project.any_container import find_container

    wish = attachment.AttachOptions(
        stdin=not no_stdin,
        signals=sig_proxy,
        detach_keys=attachment.read_detach_keys(detach_keys),
    )
    chosen = find_container(container)
    attachment.check_attachable(chosen, wish)
    return attachment.attach(chosen, wish)
