"""Make containers and projects for tests of the command line."""

from cntnr_compose.core.values import Seconds
from cntnr_compose.model.observed import Container, PublishedPort, Record, Status
from cntnr_compose.model.project import Project
from cntnr_compose.model.service import Service

NOW: Seconds = 1_800_000_000.0


def service(name: str, **more: object) -> Service:
    return Service(name=name, **{"image": "busybox", **more})  # type: ignore[arg-type]


def container(
    service_name: str = "web",
    number: int = 1,
    *,
    project: str = "shop",
    name: str = "",
    state: str = "running",
    exit_code: int = 0,
    health: str = "",
    started: Seconds = NOW - 300,
    finished: Seconds = 0,
    published: tuple[PublishedPort, ...] = (),
    oneoff: bool = False,
    oom_killed: bool = False,
    definition: Service | None = None,
    **record: object,
) -> Container:
    own = name or f"{project}-{service_name}-{number}"
    identity = f"{sum(map(ord, own)):064x}"
    return Container(
        record=Record(
            id=identity,
            name=own,
            project=project,
            service=service_name,
            number=number,
            oneoff=oneoff,
            image="busybox",
            created=NOW - 600,
            command=("sleep", "100"),
            definition=definition or service(service_name),
            **record,  # type: ignore[arg-type]
        ),
        status=Status(
            state=state,
            exit_code=exit_code,
            health=health,
            started=started,
            finished=finished,
            published=published,
            oom_killed=oom_killed,
        ),
    )


def project(*services: Service, name: str = "shop") -> Project:
    return Project(name=name, working_dir="/shop", services={one.name: one for one in services})
