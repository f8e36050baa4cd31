"""Keep transformers silent about work of a second."""


def hide_progress_bars() -> None:
    """Hide the progress bars of transformers; downloads keep theirs."""
    from transformers.utils import logging

    logging.disable_progress_bar()
