"""What a virtual machine boots from: a disk image of its root file system, and the first program, which lays another disk over it."""

import os
import shutil
import subprocess
from pathlib import Path

MODULES = ["crc32c_generic", "ext4", "overlay", "virtio_pci", "virtio_blk", "virtio_console"]
IMAGE = "boot/lab.img"
FIRST = "boot/lab.initrd"
BASE, LAYER = "/dev/vda", "/dev/vdb"
DUMP = "lab.dump"  # as a word of the kernel's: the layer is written to the port, and that was all
PORT = "/dev/vport0p1"

# What is changed goes to the layer alone, so that the base serves every machine, and the layer shows what was changed.
FIRST_PROGRAM = f"""#!/busybox sh
/busybox mkdir -p /dev /proc /base /layer /root
/busybox mount -t devtmpfs devtmpfs /dev
/busybox mount -t proc proc /proc
while read -r module; do /busybox insmod "/modules/$module"; done </modules/order
for disk in {BASE} {LAYER}; do
  while [ ! -b "$disk" ]; do /busybox sleep 0.1; done
done
/busybox mount -t ext4 -o ro {BASE} /base
/busybox mount -t ext4 {LAYER} /layer
if /busybox grep -qw {DUMP} /proc/cmdline; then
  while [ ! -c {PORT} ]; do /busybox sleep 0.1; done
  /busybox tar -cf {PORT} -C /layer/changes .
  /busybox umount /layer
  /busybox poweroff -f
fi
/busybox mount -t overlay overlay -o lowerdir=/base,upperdir=/layer/changes,workdir=/layer/work /root
/busybox umount /proc
exec /busybox switch_root /root /sbin/init
"""


def make(root):
    """Into the root's own /boot, where the cache keeps them together."""
    make_first(root)
    image = root.with_suffix(".image")
    make_image(root, image, "3G")
    image.rename(root / IMAGE)


def make_image(tree, image, size):
    """Takes no more room than what is in it."""
    image.unlink(missing_ok=True)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", str(tree), str(image), size], check=True, stdin=subprocess.DEVNULL, capture_output=True)


def make_first(root):
    tree = root / "boot/lab"
    (tree / "modules").mkdir(parents=True)
    shutil.copy(root / "bin/busybox", tree / "busybox")
    program = tree / "init"
    program.write_text(FIRST_PROGRAM)
    program.chmod(0o755)
    (modules,) = (root / "lib/modules").iterdir()
    files = in_order(modules)
    for file in files:
        shutil.copy(file, tree / "modules")
    (tree / "modules/order").write_text("".join(f"{file.name}\n" for file in files))
    archive = ["chroot", str(root), "sh", "-c", f"cd /boot/lab && find . | cpio --quiet -o -H newc >/{FIRST}"]
    subprocess.run(archive, check=True, stdin=subprocess.DEVNULL, capture_output=True, env=os.environ | {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
    shutil.rmtree(tree)


def in_order(modules):
    """The modules' files, what a module needs before it."""
    needs = {}
    for line in (modules / "modules.dep").read_text().splitlines():
        file, _, others = line.partition(":")
        needs[Path(file).stem] = [modules / file, *(modules / other for other in others.split())]
    builtin = (modules / "modules.builtin").read_text()
    ordered = []
    for name in MODULES:
        if f"/{name}.ko" in builtin:
            continue
        # depmod names the nearest first.
        ordered += [file for file in reversed(needs[name]) if file not in ordered]
    return ordered


def kernel(root):
    (found,) = (root / "boot").glob("vmlinuz-*")
    return found
