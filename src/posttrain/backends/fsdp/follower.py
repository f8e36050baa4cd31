"""A process that follows the one that started it: `python -m posttrain.backends.fsdp.follower RANK SIZE PORT ...`."""

from __future__ import annotations

import sys


def follow_torchrun(device: str, timeout: float) -> None:
    """Join the group that torchrun has started and do what its first process says until that ends."""
    from posttrain.backends.fsdp.group import join
    from posttrain.models.attention import register

    register()
    join(device, timeout).follow()


def main() -> None:
    """Join the group and do what its first process says until that ends."""
    from posttrain.backends.fsdp.group import join_started
    from posttrain.models.attention import register

    register()
    rank, size, port, device, timeout = sys.argv[1:]
    join_started(int(rank), int(size), int(port), device, float(timeout)).follow()


if __name__ == "__main__":
    main()
