"""The system calls that a sandboxed process may make, as a program for the kernel (seccomp, classic BPF).

A process may compute, read what is visible to it, write to what is open and start threads. It may not become another
process, start or reach one, or open a connection. Calls that honest programs try fail with an error; those that only an
attack makes end the process, which gives the verdict `forbidden`. Calls newer than this table do not exist.
"""

from __future__ import annotations

import errno
import platform
import struct

# Number of each call on x86-64 and on arm64; None where that has no such call.
REFUSED: dict[str, tuple[int | None, int | None]] = {
    # processes
    "fork": (57, None), "vfork": (58, None), "execve": (59, 221), "execveat": (322, 281), "setsid": (112, 157),
    "tkill": (200, 130), "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240), "setpgid": (109, 154),
    "pidfd_open": (434, 434), "pidfd_send_signal": (424, 424), "pidfd_getfd": (438, 438),
    "setpriority": (141, 140), "sched_setaffinity": (203, 122), "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119), "sched_setattr": (314, 274), "ioprio_set": (251, 30),
    "process_madvise": (440, 440), "process_mrelease": (448, 448), "personality": (135, 92),
    "setrlimit": (160, 164),
    # network
    "socket": (41, 198), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201), "accept": (43, 202),
    "accept4": (288, 242),
    # what outlives a process, or changes files of others
    "shmget": (29, 194), "shmat": (30, 196), "semget": (64, 190), "msgget": (68, 186), "mq_open": (240, 180),
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "truncate": (76, 45), "mknod": (133, None),
    "mknodat": (259, 33), "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "chown": (92, None),
    "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54), "setxattr": (188, 5), "lsetxattr": (189, 6),
    "fsetxattr": (190, 7), "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16),
    "utime": (132, None), "utimes": (235, None), "futimesat": (261, None), "utimensat": (280, 88),
    "fanotify_init": (300, 262), "inotify_init": (253, None), "inotify_init1": (294, 26), "chroot": (161, 51),
    "name_to_handle_at": (303, 264), "syslog": (103, 116), "acct": (163, 89),
}  # fmt: skip
FORBIDDEN: dict[str, tuple[int | None, int | None]] = {
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41),
    "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431),
    "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442),
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218),
    "open_by_handle_at": (304, 265), "quotactl": (179, 60), "quotactl_fd": (443, 443), "lookup_dcookie": (212, 18),
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "init_module": (175, 105),
    "finit_module": (313, 273), "delete_module": (176, 106), "reboot": (169, 142), "swapon": (167, 224),
    "swapoff": (168, 225), "settimeofday": (164, 170), "clock_settime": (227, 112), "adjtimex": (159, 171),
    "clock_adjtime": (305, 266), "sethostname": (170, 161), "setdomainname": (171, 162), "iopl": (172, None),
    "ioperm": (173, None), "migrate_pages": (256, 238), "move_pages": (279, 239), "vhangup": (153, 58),
}  # fmt: skip
CLONE = (56, 220)
CLONE3 = (435, 435)
KILL = (62, 129)
TGKILL = (234, 131)
PRLIMIT = (302, 261)
SOCKETPAIR = (53, 199)
IOCTL = (16, 29)
FCNTL = (72, 25)
PRCTL = (157, 167)

ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column of the tables; the kernel's constant
FIRST_UNKNOWN = 450  # the 32-bit calls of an x86-64 kernel lie above it too
THREAD, NAMESPACES = 0x10000, 0x7E020000  # flags of clone
STREAM = 1  # SOCK_STREAM: a pair of sockets that are connected to each other only
TERMINAL = (0x5412, 0x541C, 0x8901, 0x8902)  # ioctl: TIOCSTI, TIOCLINUX, FIOSETOWN, SIOCSPGRP
DEATH = (1,)  # prctl: PR_SET_PDEATHSIG, or it could outlive the process that watches it
SIGNALS = (8, 10, 15)  # fcntl: F_SETOWN, F_SETSIG, F_SETOWN_EX send signals to others

_LOAD, _AND, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data
_ALLOW, _END, _ERROR = 0x7FFF0000, 0x80000000, 0x00050000


def instructions(pid: int | None, machine: str | None = None, *, tools: bool = False) -> bytes:
    """Assemble the filter. The process may signal `pid` (itself) alone, or with None everything in its namespace.

    `tools`: it may become another program, under the same filter.
    Raises OSError for an architecture without a table.
    """
    machine = machine or platform.machine()
    if machine not in ARCHITECTURES:
        raise OSError(f"no table of system calls for {machine}")
    column, architecture = ARCHITECTURES[machine]
    refused, missing = _ERROR | errno.EPERM, _ERROR | errno.ENOSYS
    program = [_op(_LOAD, _ARCHITECTURE), _op(_EQUAL, architecture, 1, 0), _op(_RETURN, _END), _op(_LOAD, _NUMBER)]
    program += [_op(_AT_LEAST, FIRST_UNKNOWN, 0, 1), _op(_RETURN, missing)]
    program += [_op(_EQUAL, CLONE3[column], 0, 1), _op(_RETURN, missing)]  # its flags lie in memory; libc uses clone
    for table, action in ((FORBIDDEN, _END), (REFUSED, refused)):
        for name, numbers in table.items():
            if (number := numbers[column]) is not None and not (tools and name == "execve"):
                program += [_op(_EQUAL, number, 0, 1), _op(_RETURN, action)]
    program += _when(CLONE[column], _thread(refused))
    program += _when(PRLIMIT[column], _only(0, 0, refused))
    program += _when(SOCKETPAIR[column], [_op(_LOAD, _ARGUMENTS + 8), _op(_AND, 0xF), *_equal(STREAM, refused)])
    program += _when(IOCTL[column], _none_of(1, TERMINAL, refused))
    program += _when(FCNTL[column], _none_of(1, SIGNALS, refused))
    program += _when(PRCTL[column], _none_of(0, DEATH, refused))
    if pid is not None:
        program += _when(KILL[column], _only(0, pid, refused)) + _when(TGKILL[column], _only(0, pid, refused))
    return b"".join([*program, _op(_RETURN, _ALLOW)])


def _op(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("<HBBI", code, if_true, if_false, value)


def _when(number: int, body: list[bytes]) -> list[bytes]:
    """Run `body`, which returns, for one call only."""
    return [_op(_EQUAL, number, 0, len(body)), *body]


def _equal(value: int, otherwise: int) -> list[bytes]:
    return [_op(_EQUAL, value, 1, 0), _op(_RETURN, otherwise), _op(_RETURN, _ALLOW)]


def _only(argument: int, value: int, otherwise: int) -> list[bytes]:
    return [_op(_LOAD, _ARGUMENTS + 8 * argument), *_equal(value, otherwise)]


def _none_of(argument: int, values: tuple[int, ...], otherwise: int) -> list[bytes]:
    body = [_op(_LOAD, _ARGUMENTS + 8 * argument)]
    for value in values:
        body += [_op(_EQUAL, value, 0, 1), _op(_RETURN, otherwise)]
    return [*body, _op(_RETURN, _ALLOW)]


def _thread(otherwise: int) -> list[bytes]:
    """Decide on clone: a new namespace is an attack, a new process is refused, a thread is allowed."""
    load = _op(_LOAD, _ARGUMENTS)
    attack = [_op(_ANY_BIT, NAMESPACES, 0, 1), _op(_RETURN, _END)]
    return [load, *attack, _op(_ANY_BIT, THREAD, 1, 0), _op(_RETURN, otherwise), _op(_RETURN, _ALLOW)]
