"""S1 to S14: what a hostile program tries, in every sandbox of this machine. Canaries and a listener decide."""

import errno
import os
import platform
import signal
import socket
import time
from pathlib import Path

import pytest

import posttrain
from posttrain.sandbox.filter import ARCHITECTURES, FORBIDDEN, REFUSED
from posttrain.sandbox.limits import MIB, Limits
from tests.sandbox.watching import attempts, system_call, watch

pytestmark = [
    pytest.mark.skipif(platform.system() != "Linux", reason="sandboxes need Linux"),
    pytest.mark.usefixtures("nothing_left"),
]
COLUMN = ARCHITECTURES.get(platform.machine(), (0, 0))[0]
NATIVE = pytest.mark.usefixtures("native")


@pytest.fixture
def native(tier):
    if tier.name == "wasm":
        pytest.skip("WebAssembly has no system calls")


def number(name):
    return {**REFUSED, **FORBIDDEN}[name][COLUMN]


@pytest.mark.fault("S1")
@pytest.mark.parametrize(
    "fork", ["os.fork()", "__import__('threading').Thread(target=__import__('time').sleep, args=(9,)).start()"]
)
def test_a_fork_bomb_stops_and_the_next_sandbox_starts(tier, fork):
    program = f"""
import os
made = 0
try:
    while True:
        {fork}
        made += 1
finally:
    os.write(1, str(made).encode())
    os._exit(1)
"""
    found, output = watch(tier, program)
    assert found.verdict == "failed"
    assert int(output) < 40
    assert watch(tier, "print(1)")[1] == "1\n"


@pytest.mark.fault("S2")
@pytest.mark.parametrize(
    "program",
    [
        "x = bytearray(2 << 30)",
        "x = []\nwhile True:\n    x.append(bytearray(1 << 20))",
        "import mmap\nx = []\nwhile True:\n    x.append(mmap.mmap(-1, 1 << 24))\n    x[-1][::4096] = b'x' * (1 << 12)",
        "import sys\nsys.setrecursionlimit(10**9)\ndef f():\n    f()\nf()",
        "x = 'a' * 10**12",
    ],
)
def test_memory_without_end_ends_the_program_alone(tier, program):
    free = available_memory()
    found, _ = watch(tier, program, Limits(seconds=3.0, memory=256 * MIB))
    assert found.verdict in ("resource", "failed", "timeout")
    assert available_memory() > free - 512 * MIB


def available_memory():
    lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    return int(lines["MemAvailable"].split()[0]) * 1024


@pytest.mark.fault("S3")
@pytest.mark.parametrize("folder", ["/tmp", "/dev/shm", ".", "/var/tmp", "/usr/lib", "/"])
def test_the_disk_cannot_be_filled(tier, folder):
    written = f"""
import os
total = 0
for k in range(100000):
    try:
        with open({folder!r} + f"/posttrain-canary-{{k}}", "wb", buffering=0) as file:
            while total < 1 << 30:
                total += file.write(bytes(1 << 16))
    except OSError:
        break
print(total)
"""
    _, output = watch(tier, written, Limits(seconds=5.0))
    assert int(output) <= 5 * MIB
    sparse = f"open({folder!r} + '/posttrain-canary', 'wb').truncate(1 << 40)"
    assert watch(tier, sparse)[0].verdict != "passed"
    assert not list(Path(folder if folder != "." else os.getcwd()).glob("posttrain-canary*"))


@pytest.mark.fault("S4")
@pytest.mark.parametrize(
    "program",
    [
        "while True:\n    print('x' * 1000)",
        "import sys\nwhile True:\n    sys.stderr.write('x' * 1000)",
        "import sys\nsys.stdout.write('x' * (1 << 26))",
        "import os\nwhile True:\n    os.write(1, b'\\x1b]0;title\\x07\\xff\\x00')",
    ],
)
def test_output_without_end_is_cut(tier, program):
    found, output = watch(tier, program, Limits(seconds=10.0, output=20_000, memory=1 << 30))
    assert found.verdict == "resource"
    assert found.reason == "wrote more than 20000 bytes"
    assert len(output) < 200_000


@pytest.mark.fault("S4")
def test_a_reason_holds_nothing_that_a_terminal_obeys(tier):
    found, _ = watch(tier, "raise SystemExit('\\x1b[2Jgone\\x07\\u202e')")
    assert found.verdict == "failed"
    assert found.reason.isprintable()
    assert "gone" in found.reason


@pytest.mark.fault("S5")
@pytest.mark.parametrize(
    "program",
    [
        "while True:\n    pass",
        "import time\ntime.sleep(60)",
        "import signal\nfor s in (1, 2, 3, 14, 15, 24):\n    signal.signal(s, signal.SIG_IGN)\nwhile True:\n    pass",
        "import os\nos.close(0), os.close(1), os.close(2)\nwhile True:\n    pass",
        "import os\ntry:\n    os.fork() or os.setsid()\nexcept Exception:\n    while True:\n        pass",
        "import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()",
        "import re\nre.fullmatch('(a+)+b', 'a' * 60)",
        "9**9**9",
    ],
)
def test_the_clock_ends_a_program_that_does_not(tier, program):
    if tier.name == "wasm" and ("signal" in program or "thread" in program):
        pytest.skip("WebAssembly has no signals and no threads")
    start = time.monotonic()
    found, _ = watch(tier, program, Limits(seconds=0.5))
    assert found.verdict == "timeout"
    assert time.monotonic() - start < 5.0


@pytest.mark.fault("S6")
def test_secrets_are_out_of_sight(tier, tmp_path, monkeypatch):
    monkeypatch.setenv("POSTTRAIN_SECRET", "canary")
    secret = tmp_path / "secret"
    secret.write_text("canary")
    for path in (tmp_path, *tmp_path.parents):
        if path.name.startswith(("pytest-", "test_")):
            path.chmod(0o777)
    secret.chmod(0o666)
    places = [secret, posttrain.__file__, "/etc/passwd", "/etc/shadow", "/root/.bashrc", Path.home() / ".ssh/id_rsa"]
    expressions = [f"open({str(place)!r}, 'rb').read(1)" for place in places]
    expressions += [f"os.listdir({str(Path(posttrain.__file__).parents[2])!r})", "os.environ['POSTTRAIN_SECRET']"]
    expressions += [f"os.listdir({folder!r})" for folder in ("/root", "/home", "/etc", str(tmp_path))]
    assert attempts(tier, *expressions) == []
    assert "canary" not in watch(tier, "import os\nprint(dict(os.environ))")[1]


@pytest.mark.fault("S7")
def test_nothing_reaches_the_network(tier):
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as abstract:
        abstract.bind("\0posttrain-canary")
        abstract.listen()
        udp = socket.socket(type=socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        listeners = (tcp, abstract, udp)
        for listener in listeners:
            listener.setblocking(False)
        port = tcp.getsockname()[1]
        made = attempts(
            tier,
            f"socket.create_connection(('127.0.0.1', {port}), 1)",
            f"socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', {udp.getsockname()[1]}))",
            "socket.create_connection(('169.254.169.254', 80), 1)",
            "socket.getaddrinfo('example.com', 80)",
            "socket.socket(socket.AF_UNIX).connect('\\0posttrain-canary')",
            "socket.socketpair(type=socket.SOCK_DGRAM)[0].sendto(b'x', '\\0posttrain-canary')",
            "socket.socket(16, socket.SOCK_RAW)",
            "socket.socket(17, socket.SOCK_RAW)",
            "socket.create_server(('127.0.0.1', 0))",
        )
        assert made == []
        for listener in listeners:
            with pytest.raises(BlockingIOError):
                listener.recv(1) if listener is udp else listener.accept()
        udp.close()


@pytest.mark.fault("S8")
def test_proc_tells_and_changes_nothing(tier):
    secret = f"/proc/{os.getpid()}"
    made = attempts(
        tier,
        *(f"open('{secret}/{name}', 'rb').read(1)" for name in ("environ", "cmdline", "maps", "mem")),
        *(f"open('/proc/1/root{path}').read(1)" for path in ("/etc/passwd", "/etc/hostname")),
        f"os.listdir('{secret}/fd')",
        f"os.listdir('/proc/{os.getppid()}/task')",
        *(f"open('/proc/{name}', 'w').write('1')" for name in ("sysrq-trigger", "sys/kernel/core_pattern")),
        *(f"open('/sys/{name}', 'w').write('1')" for name in ("kernel/mm/ksm/run", "power/state")),
        "open('/proc/kcore', 'rb').read(1)",
        "open('/dev/kmsg').read(1)",
        "open('/proc/self/oom_score_adj', 'w').write('-1000')",
    )
    assert made == []


@NATIVE
@pytest.mark.fault("S9")
def test_other_processes_feel_nothing(tier):
    felt = []
    before = {s: signal.signal(s, lambda s, _: felt.append(s)) for s in (signal.SIGUSR1, signal.SIGIO, signal.SIGTERM)}
    try:
        for target in (-1, os.getpid(), 1, 0, "os.getppid()", -os.getpgrp()):
            watch(tier, f"import os\nos.kill({target}, {signal.SIGUSR1})")
        parent = (
            f"import os, fcntl\nfcntl.fcntl(1, 8, {os.getpid()})\nfcntl.fcntl(1, fcntl.F_SETFL, os.O_ASYNC)\nprint(1)"
        )
        watch(tier, parent)
        time.sleep(0.05)
    finally:
        for s, handler in before.items():
            signal.signal(s, handler)
    assert felt == []
    nice, limits = os.getpriority(os.PRIO_PROCESS, 0), Path("/proc/self/limits").read_text()
    watch(tier, f"import os\nos.setpriority(os.PRIO_PROCESS, {os.getpid()}, 19)")
    assert (
        watch(tier, f"import resource\nresource.prlimit({os.getpid()}, resource.RLIMIT_CPU, (1, 1))")[0].verdict
        == "failed"
    )
    assert (os.getpriority(os.PRIO_PROCESS, 0), Path("/proc/self/limits").read_text()) == (nice, limits)


@NATIVE
@pytest.mark.fault("S9")
@pytest.mark.parametrize("name", ["ptrace", "process_vm_readv", "process_vm_writev", "kcmp"])
def test_tracing_is_forbidden(tier, name):
    found, output = watch(tier, system_call(number(name), 16, os.getpid(), 0, 0, 0, 0))
    assert (found.verdict, output) == ("forbidden", "")


@NATIVE
@pytest.mark.fault("S10")
@pytest.mark.parametrize("name", sorted(FORBIDDEN))
def test_what_only_an_attack_calls_ends_it(tier, name):
    if number(name) is None:
        pytest.skip("this architecture has no such call")
    assert watch(tier, system_call(number(name), 0, 0, 0, 0, 0, 0))[0].verdict == "forbidden"


@NATIVE
@pytest.mark.fault("S10")
@pytest.mark.parametrize("call", [(435, 0, 88), (450, 0), (462, 0), (0x40000000 | 41, 1, 1, 0)])
def test_calls_that_the_table_does_not_know_do_not_exist(tier, call):
    assert watch(tier, system_call(*call))[1] == f"{errno.ENOSYS}\n"


@NATIVE
@pytest.mark.fault("S10")
def test_a_new_namespace_is_forbidden_to_clone(tier):
    clone = {"x86_64": 56, "aarch64": 220}[platform.machine()]
    for namespace in (0x10000000, 0x20000000, 0x00020000, 0x40000000):
        assert watch(tier, system_call(clone, namespace | signal.SIGCHLD, 0, 0, 0, 0))[0].verdict == "forbidden"


@NATIVE
@pytest.mark.fault("S11")
def test_no_other_program_no_way_out_of_the_folder_no_device(tier):
    made = attempts(
        tier,
        "os.execv('/bin/su', ['su'])",
        "os.execv('/usr/bin/mount', ['mount'])",
        "__import__('subprocess').run(['true'])",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "os.setuid(0)",
        "os.chroot('.')",
        "open('/dev/mem', 'rb').read(1)",
        "os.open('/dev/tty', os.O_RDWR)",
        "os.mknod('null', 0o20666, os.makedev(1, 3))",
        "(os.link('/etc/passwd', 'out'), open('out').read(1))",
        "(os.symlink('/etc/passwd', 'out'), open('out').read(1))",
        "open('../../../../etc/passwd').read(1)",
        "os.chmod('/usr/lib', 0o777)",
        "__import__('fcntl').ioctl(0, 0x5412, b'x')",
    )
    assert made == []
    assert watch(tier, "import os\nprint(os.getuid() == 0, os.geteuid() == 0)")[1] == "False False\n"


DESCRIPTORS = """
import os
def there(k):
    try:
        return os.fstat(k) is not None
    except OSError:
        return False
print([k for k in range(1024) if there(k)])
"""


@NATIVE
@pytest.mark.fault("S13")
def test_only_the_three_standard_descriptors_exist(tier):
    inherited = os.open("/etc/passwd", os.O_RDONLY)
    os.set_inheritable(inherited, True)
    try:
        assert watch(tier, DESCRIPTORS)[1] == "[0, 1, 2]\n"
    finally:
        os.close(inherited)


@NATIVE
@pytest.mark.fault("S14")
@pytest.mark.parametrize(
    "program",
    [
        "import ctypes\nctypes.string_at(0)",
        "import os\nos.kill(os.getpid(), 9)\nos._exit(9)",  # the first process of a namespace is immune
        "import os\nos.abort()",
        "import os\nos._exit(90)",
    ],
)
def test_a_crash_is_a_failure(tier, program):
    found, _ = watch(tier, program)
    assert found.verdict == "failed"
    assert found.reason.startswith(("ended by signal", "exit code"))


@pytest.mark.fault("S17")
@pytest.mark.parametrize(
    ("program", "verdicts"),
    [
        ("while True:\n    pass", {"timeout"}),
        ("x = [bytearray(1 << 24) for _ in range(1000)]", {"resource"}),
        ("def f():\n    f()\nf()", {"failed"}),
        ("import sys\nsys.setrecursionlimit(10**9)\nx = []\nfor _ in range(10**6):\n    x = [x]\nrepr(x)", {"failed"}),
        ("exec('x = ' + '(' * 10**5 + ')' * 10**5)", {"failed", "resource"}),
    ],
)
def test_loops_memory_and_recursion_inside_another_interpreter(tier, program, verdicts):
    found, _ = watch(tier, program, Limits(seconds=3.0, memory=256 * MIB))
    assert found.verdict in verdicts, found
