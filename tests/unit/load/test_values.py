"""What the values of single keys become, and which of them are none."""

from pathlib import Path
from typing import Any

import pytest

from cntnr_compose.load.findings import ComposeFileInvalid
from tests.unit.load.world import service

RATE = "blkio_config: {device_write_iops: [{path: /dev/x, rate: %s}]}"
WEIGHT = "blkio_config: {weight_device: [{path: /dev/x, weight: %s}]}"
AMOUNT = "deploy: {resources: {reservations: {generic_resources: [{discrete_resource_spec: %s}]}}}"


def value(folder: Path, text: str) -> Any:
    """Give what a line of a service says, of the one key that it has."""
    key = text.partition(":")[0]
    return service(folder, f"services:\n  a:\n    image: x\n    {text}\n").get(key)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("ports: [{target: 0}]", [{"protocol": "tcp", "mode": "ingress"}]),
        ("ports: [{target: 4294967297}]", [{"target": 1, "protocol": "tcp", "mode": "ingress"}]),
        ("volumes: [{type: tmpfs, target: ''}]", [{"type": "tmpfs", "target": "."}]),
        ("env_file: [{path: '', required: false}]", None),
        ("devices: ['/a:/b:']", [{"source": "/a", "target": "/b"}]),
        ("devices: [':/b']", [{"target": "/b", "permissions": "rwm"}]),
        ("environment: {'A ': b}", {"A ": "b"}),
        ("mem_limit: '1_000k'", "1024000"),
        (RATE % 0, {"device_write_iops": [{"Path": "/dev/x", "Rate": "0"}]}),
        (WEIGHT % 0, {"weight_device": [{"Path": "/dev/x", "Weight": 0}]}),
        (
            "volumes: [{type: bind, source: '1:/x', target: /t}]",
            [{"type": "bind", "source": "1:/x", "target": "/t"}],
        ),
    ],
)
def test_a_value_becomes(tmp_path: Path, text: str, meant: Any) -> None:
    found = value(tmp_path, text)
    assert found == meant


def test_a_resource_has_a_kind_and_an_amount_always(tmp_path: Path) -> None:
    found = value(tmp_path, AMOUNT % "{kind: gpu}")
    assert found["resources"]["reservations"]["generic_resources"] == [
        {"discrete_resource_spec": {"kind": "gpu", "value": 0}}
    ]


def test_a_pause_of_nothing_between_updates_is_not_told(tmp_path: Path) -> None:
    found = value(tmp_path, "deploy: {update_config: {delay: 0s, monitor: 1m}}")
    assert found["update_config"] == {"monitor": "1m0s"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ports: [{target: -1}]", "cannot parse value as 'uint32': -1 overflows uint"),
        ("ports: [{target: 80, published: 80, host_ip: ''}]", "invalid ip address: "),
        ("volumes: [{type: tmpfs, target: /t, tmpfs: {mode: '7'}}]", "unconvertible type 'string'"),
        (WEIGHT % "'7'", "expected type 'uint16', got unconvertible type 'string'"),
        ("gpus: [{count: many}]", "the only value allowed is 'all' or a number"),
        ("build: {context: ., ssh: [key]}", 'invalid ssh key "key"'),
        ("environment: ['A =b']", "declared with a trailing space"),
        ("devices: ['a:b:c:d']", "confusing device mapping"),
    ],
)
def test_a_value_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ComposeFileInvalid) as raised:
        value(tmp_path, text)
    assert said in str(raised.value)
