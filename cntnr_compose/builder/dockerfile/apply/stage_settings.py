"""The settings of a stage: the configuration of its image, and its variables."""

from cntnr_compose.builder.dockerfile.parser import Instruction, parse_instruction
from cntnr_compose.builder.dockerfile.stages import DockerfileScope
from cntnr_compose.containers.spec.process import DEFAULT_PATH, DEFAULT_SHELL
from cntnr_compose.core.values import Value, field, replace
from cntnr_compose.model.image import ImageConfig

PATH = f"PATH={DEFAULT_PATH}"


class StageSettings(Value, frozen=True, kw_only=True):
    """A stage up to some instruction: its image configuration and its variables."""

    config: ImageConfig = field(default_factory=ImageConfig)
    args: dict[str, str] = field(default_factory=dict)  # as they are seen: an ENV changes them
    declared: tuple[str, ...] = ()  # the names of all ARGs, also of those without a value
    shell: tuple[str, ...] = DEFAULT_SHELL
    author: str = ""
    has_own_cmd: bool = False  # CMD was given in this stage

    @property
    def env(self) -> dict[str, str]:
        """Return the environment that the image has so far."""
        return dict(word.split("=", 1) for word in self.config.env if "=" in word)

    @property
    def variables(self) -> dict[str, str]:
        """Return the variables that can be expanded: of ARG and ENV the later wins, as in BuildKit."""
        return {**self.env, **self.args}


def initial_settings(
    base: ImageConfig | None, before: StageSettings | None = None
) -> StageSettings:
    """Begin a stage from an image, from the end of an earlier stage, or from nothing.

    A stage also inherits the values of ARGs. ONBUILD concerns the next stage or image only.
    """
    if before is not None:
        config = replace(before.config, on_build=None)
        return replace(before, has_own_cmd=False, config=config)
    if base is None:
        return StageSettings(config=ImageConfig(env=(PATH,), working_dir="/"))
    has_path = any(word.startswith("PATH=") for word in base.env)
    config = replace(base, on_build=None, env=base.env if has_path else (*base.env, PATH))
    return StageSettings(config=config, shell=base.shell or DEFAULT_SHELL)


def onbuild_instructions(
    base: ImageConfig, scope: DockerfileScope, line: int
) -> tuple[Instruction, ...]:
    """Read the ONBUILD instructions of a base image or stage. Raises `DockerfileInvalid`."""
    return tuple(parse_instruction(text, scope.file, line) for text in base.on_build or () if text)
