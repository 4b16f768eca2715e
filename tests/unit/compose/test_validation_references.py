"""Checks between entries: all errors are reported, in docker compose's words."""

from textwrap import dedent
from typing import Any

import pytest
import yaml

from cntnr_compose.compose.validation.references import check_references


def errors(text: str, **options: Any) -> list[str]:
    return [str(one) for one in check_references(yaml.safe_load(dedent(text)), **options)]


def service(text: str, rest: str = "") -> list[str]:
    return errors(f"services: {{a: {{image: x, {text}}}}}\n{rest}")


def test_a_valid_tree_has_no_errors() -> None:
    assert (
        errors("""\
            services:
              a:
                image: x
                depends_on: {b: {condition: service_started}}
                networks: {n: }
                volumes: [{type: volume, source: v, target: /v}, {type: volume, target: /w}]
                secrets: [{source: s}]
                configs: [{source: c}]
                models: {m: }
                scale: 2
                cpus: 0.1
                mem_limit: 64m
                pids_limit: 10
                deploy:
                  replicas: 2
                  resources: {limits: {cpus: "0.10", memory: 65536kb, pids: 10}}
                tmpfs: [/t]
                develop: {watch: [{path: ., action: sync, target: /x}, {path: ., action: rebuild}]}
                healthcheck: {test: [CMD, x]}
              b: {build: {context: ., platforms: [x, y], secrets: [{source: s}]}, platform: y}
              c: {provider: {type: p}}
            networks: {n: }
            volumes: {v: {external: true, name: x}}
            secrets: {s: {file: x}, e: {external: true}}
            configs: {c: {content: ""}}
            models: {m: {model: x}}
            """)
        == []
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "networks: {front: }",
            (
                'services.a.networks.front: service "a" refers to undefined network front'
                " (define it under networks:)"
            ),
        ),
        (
            "volumes: [{type: volume, source: v, target: /v}]",
            'services.a.volumes.0: service "a" refers to undefined volume v (define it under volumes:)',
        ),
        (
            "secrets: [{source: s}]",
            'services.a.secrets.0: service "a" refers to undefined secret s (define it under secrets:)',
        ),
        (
            "configs: [{source: c}]",
            'services.a.configs.0: service "a" refers to undefined config c (define it under configs:)',
        ),
        (
            "models: {m: }",
            'services.a.models.m: service "a" refers to undefined model m (define it under models:)',
        ),
        (
            "depends_on: {b: {}}",
            'services.a.depends_on.b: service "a" depends on undefined service "b"',
        ),
        (
            "depends_on: {a: {}}",
            "services.a.depends_on.a: dependency cycle detected: a -> a",
        ),
        (
            "network_mode: host, networks: {n: }",
            (
                "services.a.network_mode: service a declares mutually exclusive"
                " `network_mode` and `networks`"
            ),
        ),
        (
            "network_mode: 'service:b'",
            "services.a.network_mode: service \"b\" not found for network_mode 'service:b'",
        ),
        (
            "healthcheck: {test: [curl]}",
            (
                'services.a.healthcheck.test: healthcheck.test must start either by "CMD", "CMD-SHELL" or'
                ' "NONE" (a command in a list begins with "CMD")'
            ),
        ),
        (
            "scale: 2, deploy: {replicas: 3}",
            "services.a.scale: can't set distinct values on 'scale' and 'deploy.replicas'",
        ),
        ("scale: -1", "services.a.scale: must be greater than or equal to 0"),
        (
            "deploy: {replicas: -1}",
            "services.a.deploy.replicas: must be greater than or equal to 0",
        ),
        (
            "scale: 2, container_name: cc",
            "services.a.scale: can't set container_name and scale as container name must be unique",
        ),
        (
            "deploy: {replicas: 2}, container_name: cc",
            (
                "services.a.deploy.replicas: can't set container_name and deploy.replicas as container"
                " name must be unique"
            ),
        ),
        (
            "cpus: 1, deploy: {resources: {limits: {memory: 5m}}}",
            "services.a.cpus: can't set distinct values on 'cpus' and 'deploy.resources.limits.cpus'",
        ),
        (
            "mem_limit: 1g, deploy: {resources: {limits: {memory: 1gb, cpus: 1}}}, pids_limit: 3",
            (
                "services.a.pids_limit: can't set distinct values on 'pids_limit' and"
                " 'deploy.resources.limits.pids'"
            ),
        ),
        (
            "mem_limit: 1g, deploy: {resources: {limits: {memory: 1025m}}}",
            (
                "services.a.mem_limit: can't set distinct values on 'mem_limit' and"
                " 'deploy.resources.limits.memory'"
            ),
        ),
        (
            "mem_reservation: 1, deploy: {resources: {reservations: {memory: '2'}}}",
            (
                "services.a.mem_reservation: can't set distinct values on 'mem_reservation' and"
                " 'deploy.resources.reservations.memory'"
            ),
        ),
        (
            "tmpfs: ['/b:size=1'], volumes: [{type: bind, source: /x, target: /b/}]",
            "services.a.volumes.0: target /b already mounted as services.a.tmpfs[0]",
        ),
        (
            "develop: {watch: [{path: ., action: sync+restart}]}",
            "services.a.develop.watch.0: target is required for non-rebuild actions: sync+restart",
        ),
        (
            "platform: x, build: {platforms: [y]}",
            'services.a.build.platforms: service.build.platforms MUST include service.platform "x"',
        ),
        (
            "build: {dockerfile: x, dockerfile_inline: y}",
            (
                'services.a.build.dockerfile_inline: service "a" declares mutually exclusive dockerfile'
                " and dockerfile_inline"
            ),
        ),
        (
            "build: {secrets: [{source: s}]}",
            'services.a.build.secrets.0: service "a" refers to undefined build secret s',
        ),
        (
            "build: {additional_contexts: {k: 'service:b'}}",
            (
                'services.a.build.additional_contexts.k: service "a" declares unknown service "b" as'
                " additional contexts k"
            ),
        ),
    ],
)
def test_an_error_is_reported_with_its_path(text: str, expected: str) -> None:
    rest = "networks: {n: }" if "network_mode" in text else ""
    assert service(text, rest) == [expected]


def test_the_nearest_name_is_suggested() -> None:
    (line,) = service("networks: {frnt: }", "networks: {front: , back: }")
    assert line.endswith('(did you mean "front"?)')


def test_a_service_needs_an_image_or_a_build() -> None:
    assert errors("services: {a: {command: x}}") == [
        'services.a: service "a" has neither an image nor a build context specified'
    ]


def test_a_context_from_a_service_needs_a_build_there() -> None:
    text = "services: {a: {build: {additional_contexts: {k: 'service:b'}}}, b: {image: x}}"
    (line,) = errors(text)
    assert 'declares non-buildable service "b" as additional contexts k' in line


def test_a_secret_needs_a_source() -> None:
    text = "secrets: {s: {driver: x}, t: {external: false}, u: {external: true}}"
    assert errors(text) == [
        f'secrets.{name}: secret "{name}" must declare either `file` or `environment`'
        for name in "st"
    ]


def test_container_names_are_unique() -> None:
    text = "services: {a: {image: x, container_name: c1}, b: {image: x, container_name: c1}}"
    assert errors(text) == [
        'services.b.container_name: container name "c1" is already in use by service a'
    ]


def test_a_cycle_is_reported_in_full() -> None:
    text = """\
        services:
          c: {image: x, depends_on: {a: {}}}
          a: {image: x, depends_on: {b: {}}}
          b: {image: x, depends_on: {c: {}}}
        """
    assert errors(text) == ["services.a.depends_on.b: dependency cycle detected: a -> b -> c -> a"]


DISABLED = {"b": {"image": "x", "profiles": ["debug"], "networks": {"nowhere": None}}}


def test_disabled_services_are_not_checked() -> None:
    assert (
        errors("services: {a: {image: x}, b: {image: x, networks: {n: }}}", disabled=DISABLED) == []
    )


def test_a_disabled_dependency_is_reported_with_its_profile() -> None:
    text = "services: {a: {image: x, depends_on: {b: {required: true}}}}"
    assert errors(text, disabled=DISABLED) == [
        (
            'services.a.depends_on.b: service "a" depends on undefined service "b"'
            ' ("b" is disabled; it is enabled by profile debug)'
        )
    ]


def test_a_dependency_that_is_not_required_may_be_disabled_but_not_undefined() -> None:
    text = "services: {a: {image: x, depends_on: {b: {required: false}}}}"
    assert errors(text, disabled=DISABLED) == []
    assert len(errors(text)) == 1
