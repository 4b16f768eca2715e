"""Checks of single entries of a canonical tree, whatever refers to them."""

import pytest
import yaml

from cntnr_compose.compose.validation.entries import check_entries


def errors(text: str) -> list[str]:
    return [str(one) for one in check_entries(yaml.safe_load(text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "volumes: {v: {external: true, driver: x, x-a: 1}}",
            'volumes.v.driver: conflicting parameters "external" and "driver" specified',
        ),
        ("configs: {c: {}}", "configs.c: one of file|environment|content must be set"),
        (
            "configs: {c: {file: x, content: y}}",
            (
                "configs.c: file|environment|content attributes are mutually exclusive"
                " (found file and content)"
            ),
        ),
        ("secrets: {s: {name: x}}", "secrets.s: one of file|environment must be set"),
        (
            "services: {a: {image: x, ports: [{target: 80, host_ip: 300.0.0.1}]}}",
            "services.a.ports.0.host_ip: invalid ip address: 300.0.0.1",
        ),
        (
            "services: {a: {image: x, ports: [{target: 80, host_ip: 'fe80::1%e'}]}}",
            "services.a.ports.0.host_ip: invalid ip address: fe80::1%e",
        ),
        (
            "services: {a: {image: x, ports: [{published: '80'}]}}",
            "services.a.ports.0: is missing a target port",
        ),
        (
            "services: {a: {image: x, volumes: [{type: bind, source: x}]}}",
            "services.a.volumes.0: service volume is missing a mount target",
        ),
        (
            "services: {a: {image: x, volumes: [{type: bind, target: /x}]}}",
            'services.a.volumes.0: invalid mount config for type "bind": field Source must not be empty',
        ),
        (
            "services: {a: {image: x, develop: {watch: [{path: '', action: rebuild}]}}}",
            "services.a.develop.watch.0.path: value can't be blank",
        ),
        (
            "services: {a: {image: x, gpus: [{count: 1, device_ids: [a]}]}}",
            'services.a.gpus.0: "count" and "device_ids" attributes are exclusive',
        ),
        (
            (
                "services: {a: {image: x, deploy: {resources: {reservations:"
                " {devices: [{count: 1, device_ids: [a]}]}}}}}"
            ),
            (
                'services.a.deploy.resources.reservations.devices.0: "count" and "device_ids" attributes'
                " are exclusive"
            ),
        ),
    ],
)
def test_an_invalid_entry_is_reported(text: str, expected: str) -> None:
    assert errors(text) == [expected]


def test_addresses_of_both_kinds_are_addresses() -> None:
    text = "services: {a: {image: x, ports: [{target: 80, host_ip: '%s'}]}}"
    for address in ("0.0.0.0", "10.0.0.1", "::", "::1"):
        assert errors(text % address) == []


@pytest.mark.parametrize(
    "text",
    [
        "configs: {c: {external: false}}",
        "secrets: {s: {external: false}}",
        "secrets: {s: {driver: x}}",
        "volumes: {v: {external: false, driver: x}}",
        "volumes: {v: }",
        "services: {a: {ports: [0.5], volumes: [x], gpus: all, develop: , deploy: }}",
    ],
)
def test_entries_that_docker_compose_accepts_are_accepted(text: str) -> None:
    assert errors(text) == []


def test_an_empty_source_counts() -> None:
    assert errors("configs: {c: {content: '', environment: A}}") == [
        (
            "configs.c: file|environment|content attributes are mutually exclusive"
            " (found environment and content)"
        )
    ]
