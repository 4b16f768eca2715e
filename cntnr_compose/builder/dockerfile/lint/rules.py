"""The rules of build checks, by the names of docs.docker.com/reference/build-checks, with their words."""

RULES = {
    "ConsistentInstructionCasing": "Command '{0}' should match the case of the command majority ({1})",
    "CopyIgnoredFile": 'Attempting to {0} file "{1}" that is excluded by .dockerignore',
    "DuplicateStageName": 'Duplicate stage name "{0}", stage names should be unique',
    "ExposeInvalidFormat": (
        "EXPOSE instruction should not define an IP address or host-port mapping, found '{0}'"
    ),
    "ExposeProtoCasing": "Defined protocol '{0}' in EXPOSE instruction should be lowercase",
    "FromAsCasing": "'{0}' and '{1}' keywords' casing do not match",
    "FromPlatformFlagConstDisallowed": 'FROM --platform flag should not use constant value "{0}"',
    "InvalidBaseImagePlatform": (
        'Base image {0} was pulled with platform "{1}", expected "{2}" for current build'
    ),
    "InvalidDefaultArgInFrom": (
        "Default value for ARG {0} results in empty or invalid base image name"
    ),
    "InvalidDefinitionDescription": (
        "Comment for {0} should follow the format: `# {1} <description>`"
    ),
    "JSONArgsRecommended": (
        "JSON arguments recommended for {0} to prevent unintended behavior related to OS signals"
    ),
    "LegacyKeyValueFormat": (
        '"{0} key=value" should be used instead of legacy "{0} key value" format'
    ),
    "MaintainerDeprecated": "Maintainer instruction is deprecated in favor of using label",
    "MultipleInstructionsDisallowed": (
        "Multiple {0} instructions should not be used in the same stage because only the last one will be "
        "used"
    ),
    "NoEmptyContinuation": "Empty continuation line",
    "RedundantTargetPlatform": (
        "Setting platform to predefined {0} in FROM is redundant as this is the default behavior"
    ),
    "ReservedStageName": 'Stage name should not use the same name as reserved stage "{0}"',
    "SecretsUsedInArgOrEnv": ('Do not use ARG or ENV instructions for sensitive data ({0} "{1}")'),
    "StageNameCasing": "Stage name '{0}' should be lowercase",
    "UndefinedArgInFrom": "FROM argument '{0}' is not declared{1}",
    "UndefinedVar": "Usage of undefined variable '${0}'{1}",
    "WorkdirRelativePath": (
        'Relative workdir "{0}" can have unexpected results if the base image changes'
    ),
}
# Only checked where a Dockerfile asks for it: `# check=experimental=RULE`.
EXPERIMENTAL = frozenset({"CopyIgnoredFile", "InvalidDefinitionDescription"})
