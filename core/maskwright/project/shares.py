"""Tells folders on network shares from local ones: SQLite's WAL needs memory that all who use a file share.

Between two computers there is none (sqlite.org/wal.html), and file systems in user space map memory only in part. On
such a folder a project keeps a rollback journal instead.
"""

import os
import sys
from pathlib import Path

_NETWORK = frozenset({
    "9p", "afs", "afpfs", "beegfs", "ceph", "cifs", "coda", "davfs", "drvfs", "gfs", "gfs2", "glusterfs", "gpfs",
    "lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "prl_fs", "pvfs2", "smb", "smb2", "smb3", "smbfs", "vboxsf",
    "vmhgfs", "webdav",
})  # fmt: skip
_MOUNTS = Path("/proc/self/mountinfo")


def share_type(path: Path) -> str | None:
    """The kind of network share that `path` lies on, such as "nfs4" or "fuse.sshfs"; None on a local disk.

    Told by the system's table of mounts, which answers also while the share does not. On Windows only drives and UNC
    paths are told apart; where there is no table (macOS) nothing is known, and the answer is None.
    """
    if sys.platform == "win32":
        return _windows_share(path)
    try:
        mounts = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return None
    kind = mount_type(mounts, path)
    return kind if kind is not None and is_network(kind) else None


def is_network(kind: str) -> bool:
    """`kind` as the table of mounts has it; all file systems in user space but those on a local block device count."""
    return kind in _NETWORK or kind.startswith("fuse.")


def mount_type(mounts: str, path: Path) -> str | None:
    """The file system type of the mount that holds `path`, by the text of /proc/self/mountinfo (see proc(5))."""
    best, found = "", None
    place = os.path.realpath(path)
    for line in mounts.splitlines():
        mounted, _, source = line.partition(" - ")
        fields = mounted.split()
        if len(fields) < 5 or not source:
            continue
        point = _unescaped(fields[4])
        is_above = point == "/" or place == point or place.startswith(f"{point}/")
        if is_above and len(point) >= len(best):  # of two mounts at one place the later one is on top
            best, found = point, source.split()[0]
    return found


def _unescaped(text: str) -> str:
    """Blanks and backslashes stand in the table as octal numbers."""
    for code in ("\\040", "\\011", "\\012", "\\134"):
        text = text.replace(code, chr(int(code[1:], 8)))
    return text


def _windows_share(path: Path) -> str | None:
    if sys.platform != "win32":
        return None
    import ctypes

    drive = path.absolute().drive
    remote = 4  # DRIVE_REMOTE
    is_remote = drive.startswith("\\\\") or ctypes.windll.kernel32.GetDriveTypeW(f"{drive}\\") == remote
    return "smb" if is_remote else None
