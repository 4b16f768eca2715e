"""`cntnr container systemd`: print a unit that runs a container as a service of the user's systemd."""

from cntnr_compose.cli.parser import options


@options.command("CONTAINER", of_project=False)
@options.argument("container")
def systemd(container: str) -> None:
    """Print a unit of the user's systemd that runs a container which exists.

    cntnr create --name web -p 8080:80 nginx
    cntnr container systemd web > ~/.config/systemd/user/web.service
    systemctl --user enable --now web
    """
    from cntnr_compose.cli.display import stdout
    from cntnr_compose.cli.project.any_container import find_container
    from cntnr_compose.client.boot import systemd_unit
    from cntnr_compose.containers.stop import grace_period

    record = find_container(container).record
    unit = systemd_unit.ServiceUnit(
        name=record.name,
        description=f"Container {record.name}",
        made_by=["container", "systemd", record.name],
        start=["container", "start", "--attach", record.name],
        stop=["container", "stop", record.name],
        graces=[grace_period(record.definition)],
        variables=systemd_unit.kept_variables(),
    )
    stdout.write(systemd_unit.render_unit(unit))
