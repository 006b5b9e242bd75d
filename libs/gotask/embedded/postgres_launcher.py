"""Becomes a PostgreSQL server: ``python -m gotask.embedded.postgres_launcher BINARY DATA USER [OPTION ...]``.

Makes the cluster ``DATA/cluster`` when there is none, with the password of ``DATA/password``, and then replaces itself
by the server, so that whoever started this process has the server's own process in hand. PostgreSQL refuses to run as
root: started by root, it runs as ``postgres``, or where there is no such user as ``nobody``, who then owns the cluster;
folders above the cluster and the binary are made passable for others where they are not.
"""

import ctypes
import os
import pwd
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_PATIENCE_S = 20.0
_LOOK_S = 0.02


def main(binary: str, data: Path, user: str, options: list[str]) -> None:
    """Does not return."""
    server = Path(binary).resolve()
    owner = _owner() if os.geteuid() == 0 else None
    cluster = data / "cluster"
    if owner is not None:
        _make_passable(cluster)
        _make_passable(server)
    if not cluster.exists():
        _make_cluster(server.with_name("initdb"), data, user, owner)
    _wait_for_remains(cluster)
    if owner is not None:
        _become(owner)
    os.execv(server, [str(server), "-D", str(cluster), *options])  # noqa: S606


def _owner() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def _make_passable(path: Path) -> None:
    for folder in path.parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)


def _make_cluster(initdb: Path, data: Path, user: str, owner: pwd.struct_passwd | None) -> None:
    """Under another name first: a cluster that is there is whole."""
    unfinished = Path(tempfile.mkdtemp(prefix="cluster-", dir=data))
    with tempfile.NamedTemporaryFile("w") as password:
        password.write((data / "password").read_text())
        password.flush()
        if owner is not None:
            os.chown(unfinished, owner.pw_uid, owner.pw_gid)
            os.chown(password.name, owner.pw_uid, owner.pw_gid)
        argv = [str(initdb), "-D", str(unfinished), f"--username={user}", f"--pwfile={password.name}"]
        argv += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"]
        subprocess.run(
            argv,
            check=True,
            stdout=subprocess.DEVNULL,
            user=owner and owner.pw_uid,
            group=owner and owner.pw_gid,
            extra_groups=owner and [],
        )
    unfinished.rename(data / "cluster")


def _wait_for_remains(cluster: Path) -> None:
    """After kill -9 of the server, its children need a moment to leave the memory that they shared."""
    try:
        segment = (cluster / "postmaster.pid").read_text().splitlines()[6].split()[1]
    except (OSError, IndexError):
        return
    end = time.monotonic() + _PATIENCE_S
    while _is_attached(segment) and time.monotonic() < end:
        time.sleep(_LOOK_S)


def _is_attached(segment: str) -> bool:
    """Whether a process has this System V segment; False where the system does not tell."""
    try:
        rows = [line.split() for line in Path("/proc/sysvipc/shm").read_text().splitlines()]
    except OSError:
        return False
    id_column, count_column = rows[0].index("shmid"), rows[0].index("nattch")
    return any(row[id_column] == segment and row[count_column] != "0" for row in rows[1:])


def _become(owner: pwd.struct_passwd) -> None:
    """Gives up root, but not what ends this process with its parent: Linux forgets that with the user."""
    signal_at_parents_death = _parent_death_signal() if sys.platform == "linux" else 0
    os.setgroups([])
    os.setgid(owner.pw_gid)
    os.setuid(owner.pw_uid)
    if signal_at_parents_death:
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal_at_parents_death)


def _parent_death_signal() -> int:
    get_parent_death_signal = 2
    number = ctypes.c_int()
    ctypes.CDLL(None).prctl(get_parent_death_signal, ctypes.byref(number))
    return number.value


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], sys.argv[4:])
