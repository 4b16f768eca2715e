"""What values of single keys are decoded to, and which are refused."""

from pathlib import Path
from typing import Any

import pytest

from cntnr_compose.compose.basics.diagnostics import ComposeFileInvalid
from tests.unit.compose.world import rendered_service

RATE = "blkio_config: {device_write_iops: [{path: /dev/x, rate: %s}]}"
WEIGHT = "blkio_config: {weight_device: [{path: /dev/x, weight: %s}]}"
AMOUNT = "deploy: {resources: {reservations: {generic_resources: [{discrete_resource_spec: %s}]}}}"


def decoded(folder: Path, text: str) -> Any:
    """Load a service with one line and return the value of its key."""
    key = text.partition(":")[0]
    return rendered_service(folder, f"services:\n  a:\n    image: x\n    {text}\n").get(key)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ports: [{target: 0}]", [{"protocol": "tcp", "mode": "ingress"}]),
        ("ports: [{target: 4294967297}]", [{"target": 1, "protocol": "tcp", "mode": "ingress"}]),
        ("volumes: [{type: tmpfs, target: ''}]", [{"type": "tmpfs", "target": "."}]),
        ("env_file: [{path: '', required: false}]", None),
        ("devices: ['/a:/b:']", [{"source": "/a", "target": "/b"}]),
        ("devices: [':/b']", [{"target": "/b", "permissions": "rwm"}]),
        ("environment: {'A ': b}", {"A ": "b"}),
        ("labels: {x-b: 1, x-a: b}", {"#extensions": "map[x-a:b x-b:1]"}),
        ("labels: ['x-a=b']", {"x-a": "b"}),
        (
            "provider: {type: x, options: {x-a: [b, 1.5], c: []}}",
            {"type": "x", "options": {"#extensions": ["map[x-a:[b 1.5]]"]}},
        ),
        ("extra_hosts: {a: []}", []),
        ("extra_hosts: {a: [x, x]}", ["a=x", "a=x"]),
        ("profiles: ['']", [""]),
        ("gpus: [{count: 0}]", [{}]),
        (
            "provider: {type: x, options: {a: [1.5, b]}}",
            {"type": "x", "options": {"a": ["1.5", "b"]}},
        ),
        ("mem_limit: '1_000k'", "1024000"),
        (RATE % 0, {"device_write_iops": [{"Path": "/dev/x", "Rate": "0"}]}),
        (WEIGHT % 0, {"weight_device": [{"Path": "/dev/x", "Weight": 0}]}),
        (
            "volumes: [{type: bind, source: '1:/x', target: /t}]",
            [{"type": "bind", "source": "1:/x", "target": "/t"}],
        ),
    ],
)
def test_a_value_is_decoded(tmp_path: Path, text: str, expected: Any) -> None:
    value = decoded(tmp_path, text)
    assert value == expected


def test_a_resource_always_has_a_kind_and_an_amount(tmp_path: Path) -> None:
    value = decoded(tmp_path, AMOUNT % "{kind: gpu}")
    assert value["resources"]["reservations"]["generic_resources"] == [
        {"discrete_resource_spec": {"kind": "gpu", "value": 0}}
    ]


def test_a_delay_of_zero_between_updates_is_omitted(tmp_path: Path) -> None:
    value = decoded(tmp_path, "deploy: {update_config: {delay: 0s, monitor: 1m}}")
    assert value["update_config"] == {"monitor": "1m0s"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ports: [{target: -1}]", "cannot parse value as 'uint32': -1 overflows uint"),
        ("ports: [{target: 80, published: 80, host_ip: ''}]", "invalid ip address: "),
        ("volumes: [{type: tmpfs, target: /t, tmpfs: {mode: '7'}}]", "unconvertible type 'string'"),
        (WEIGHT % "'7'", "expected type 'uint16', got unconvertible type 'string'"),
        ("gpus: [{count: many}]", "the only value allowed is 'all' or a number"),
        ("build: {context: ., ssh: [key]}", 'invalid ssh key "key"'),
        ("environment: ['A =b']", "declared with a trailing space"),
        ("group_add: [1.5]", "expected type 'string', got unconvertible type 'float64'"),
        ("ports: [{target: 80, published: 80.0}]", "got unconvertible type 'float64'"),
        ("storage_opt: {x-a: b}", "got unconvertible type 'map[string]interface {}'"),
        (
            "healthcheck: {test: a, retries: -1}",
            "cannot parse value as 'uint64': -1 overflows uint",
        ),
        ("gpus: [{count: 1.0}]", "invalid type float64 for device count"),
        ("ulimits: {a: 1.0}", "invalid type float64"),
        ("configs: [{source: c, mode: 1.0}]", "unexpected value type float64 for mode"),
        ("extra_hosts: ['=1']", "bad host name ''"),
        ("extra_hosts: ['a:b=c']", "bad host name 'a:b'"),
        ("extra_hosts: {x-a: b}", "for extra_hosts entry"),
        ("depends_on: {a: {condition: service_started, required: 'true'}}", "must be a boolean"),
        ("build: {context: ., additional_contexts: {a: 1}}", "must be a string"),
        ("extends: {service: a, file: 1}", "must be a string"),
        ("environment: ['à=b']", "declared with a trailing space"),
        ("devices: ['a:b:c:d']", "confusing device mapping"),
    ],
)
def test_a_value_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ComposeFileInvalid) as raised:
        decoded(tmp_path, text)
    assert message in str(raised.value)


def test_a_negative_mode_is_accepted(tmp_path: Path) -> None:
    value = rendered_service(
        tmp_path,
        "services: {a: {image: x, configs: [{source: c, mode: -1}]}}\nconfigs: {c: {file: f}}\n",
    )
    assert value["configs"] == [{"source": "c", "mode": "0-1"}]
