"""Bundles of users without subordinate ids."""

import pytest

from tests.scenarios.test_bundles import (
    bundle,  # noqa: F401
    folder,  # noqa: F401
    test_a_bundle_is_locked_while_its_container_lives,  # noqa: F401
    test_a_runtime_itself_starts_a_bundle_with_its_network,  # noqa: F401
    test_bundles_that_others_made_run,  # noqa: F401
    test_what_a_container_changes_in_its_bundle,  # noqa: F401
)

pytestmark = [pytest.mark.one_id, pytest.mark.usefixtures("busybox_image")]
