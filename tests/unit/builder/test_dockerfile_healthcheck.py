"""HEALTHCHECK to the form of an image configuration."""

from cntnr_compose.model.image import ImageHealthcheck
from tests.unit.builder.test_dockerfile_instructions import config


def test_health_checks() -> None:
    text = "HEALTHCHECK --interval=1m30s --timeout=250ms --retries=2 --start-period=0 CMD curl $x"
    assert config(text).healthcheck == ImageHealthcheck(
        test=("CMD-SHELL", "curl $x"), interval=90 * 10**9, timeout=250 * 10**6, retries=2
    )
    assert config('HEALTHCHECK CMD ["a", "b"]').healthcheck == ImageHealthcheck(
        test=("CMD", "a", "b")
    )
    assert config("HEALTHCHECK none").healthcheck == ImageHealthcheck(test=("NONE",))
