"""Make calls in threads, such as those that run skopeo, and end them where that is interrupted."""

from collections.abc import Callable

from cntnr_compose.core.values import Seconds
from cntnr_compose.images import skopeo

MAX_THREADS = 8
WAIT_INTERVAL: Seconds = 0.2


def run_in_threads(calls: list[Callable[[], None]]) -> None:
    """Make calls in parallel, and wait for all; where this is interrupted, end every skopeo."""
    from concurrent.futures import ThreadPoolExecutor, wait

    with ThreadPoolExecutor(min(MAX_THREADS, max(1, len(calls)))) as pool:
        try:
            jobs = [pool.submit(call) for call in calls]
            # A wait without a timeout would miss a Ctrl-C that comes just before it.
            while wait(jobs, timeout=WAIT_INTERVAL).not_done:
                pass
            for job in jobs:
                job.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            skopeo.stop_all()
            raise
