"""A file system of a test's own that is small enough to be filled."""
import contextlib
import os
import subprocess
import tempfile
from pathlib import Path

from harness import Skip


@contextlib.contextmanager
def small_disk(bytes_max):
    """A folder on a file system of its own that holds so much."""
    folder = Path(tempfile.mkdtemp(prefix="leveret-disk-"))
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={bytes_max}", "leveret-test", folder],
                             stderr=subprocess.PIPE, text=True)
    if mounted.returncode:
        folder.rmdir()
        raise Skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=False)
        with contextlib.suppress(OSError):
            folder.rmdir()


def free_bytes(folder):
    about = os.statvfs(folder)
    return about.f_bavail * about.f_frsize
