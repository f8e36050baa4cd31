"""Keep transformers silent about what is said elsewhere, or takes a second."""

from collections.abc import Iterator
from contextlib import contextmanager


def hide_progress_bars() -> None:
    """Hide the progress bars of transformers; downloads keep theirs."""
    from transformers.utils import logging

    logging.disable_progress_bar()


@contextmanager
def quiet() -> Iterator[None]:
    """Hide the warnings of transformers inside the context."""
    from transformers.utils import logging

    level = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)
