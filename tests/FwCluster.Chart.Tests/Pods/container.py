#!/usr/bin/env python3
"""Runs a program as a container's: what a kubelet and its runtime do for a pod, without either. Must be root, in the pod's network namespace.

    container.py run SPEC [ARGUMENT...]   in a mount namespace of its own; this process becomes the program
    container.py exec SPEC PID COMMAND... as another program of the container whose program is PID (hooks)

SPEC is a file of JSON: root (the image's root file system), command, env, user, group, groups, capabilities (names), mounts ([{source, target,
readOnly}]; without a source it is memory) and readOnlyRoot. No program gets more privileges than it is started with (allowPrivilegeEscalation: false).
"""
import ctypes
import json
import os
import sys

libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS = 0x20000
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18
PR_SET_KEEPCAPS, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 8, 24, 38
NUMBERS = {"CHOWN": 0, "NET_ADMIN": 12, "NET_RAW": 13}


def call(name, *arguments):
    if getattr(libc, name)(*arguments) < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{name} {arguments}: {os.strerror(error)}")


def mount(source, target, kind, flags, data=None):
    call("mount", source.encode(), target.encode(), kind.encode() if kind else None, ctypes.c_ulong(flags), data.encode() if data else None)


def prepare(spec):
    """The container's own view of files."""
    call("unshare", CLONE_NEWNS)
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    root = "/run/fwt-root"
    os.makedirs(root, exist_ok=True)
    mount(spec["root"], root, None, MS_BIND)
    mount("/proc", root + "/proc", None, MS_BIND | MS_REC)
    mount("/sys", root + "/sys", None, MS_BIND | MS_REC)
    mount("/dev", root + "/dev", None, MS_BIND | MS_REC)
    for place in spec["mounts"]:
        target = root + place["target"]
        if not os.path.exists(target):
            os.makedirs(target)  # as runtimes do where the image has no such place
        if place.get("source"):
            mount(place["source"], target, None, MS_BIND)
            if place.get("readOnly"):
                mount(place["source"], target, None, MS_BIND | MS_REMOUNT | MS_RDONLY)
        else:
            mount("tmpfs", target, "tmpfs", 0, "mode=1777")
    if spec["readOnlyRoot"]:
        mount(spec["root"], root, None, MS_BIND | MS_REMOUNT | MS_RDONLY)
    os.chroot(root)
    os.chdir("/")


def enter(pid):
    mounts, root = os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY), os.open(f"/proc/{pid}/root", os.O_RDONLY)
    call("setns", mounts, CLONE_NEWNS)
    os.fchdir(root)
    os.chroot(".")
    os.chdir("/")


def drop(spec):
    """As container runtimes do for a user who is not root: the capabilities are permitted and in the bounding set, and none is ambient."""
    kept = {NUMBERS[name] for name in spec["capabilities"]}
    for number in range(64):
        if number not in kept and libc.prctl(PR_CAPBSET_DROP, number, 0, 0, 0) < 0:
            break  # the kernel knows no more of them
    call("prctl", PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups(spec["groups"])
    os.setresgid(spec["group"], spec["group"], spec["group"])
    os.setresuid(spec["user"], spec["user"], spec["user"])
    mask = sum(1 << number for number in kept)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    call("capset", header, (ctypes.c_uint32 * 6)(mask & 0xFFFFFFFF, mask & 0xFFFFFFFF, 0, mask >> 32, mask >> 32, 0))
    call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def main():
    with open(sys.argv[2], encoding="utf-8") as file:
        spec = json.load(file)
    command = spec["command"]
    if sys.argv[1] == "run":
        prepare(spec)
        command += sys.argv[3:]
    else:
        enter(int(sys.argv[3]))
        command = sys.argv[4:]
    drop(spec)
    os.execve(command[0], command, spec["env"])


main()
