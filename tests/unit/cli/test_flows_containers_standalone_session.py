"""What a supervisor says of the keys of a service is told of the flags that it was made of."""

import pytest

from cntnr_compose.cli.flows.containers.creation.standalone_session import name_flags


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("services.calm_noether.mem_limit: too little", "--memory: too little"),
        ("services.web.1.ulimits: no", "--ulimit: no"),
        ("services.web.ulimits.nofile: held to 20000", "--ulimit nofile: held to 20000"),
        ("services.web.unheard_of: no", "services.web.unheard_of: no"),
        ("cannot start container web: mem_limit", "cannot start container web: mem_limit"),
    ],
)
def test_keys_are_told_as_flags(said: str, told: str) -> None:
    assert name_flags(said) == told
