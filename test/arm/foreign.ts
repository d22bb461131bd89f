/**
 * The start of a command whose programs may be of another processor. The kernel gives such a program to the emulator of
 * qemu-user-static; an entry that it did not have before is removed at the end.
 */
export function foreignPrograms(emulator: string): readonly string[] {
  // In mounts of its own, so that the file system of these entries disappears with it.
  return ["unshare", "--mount", "sh", "-c", SCRIPT, emulator];
}

const SCRIPT = `
folder=/proc/sys/fs/binfmt_misc
mount -t binfmt_misc binfmt_misc $folder || exit 1
if [ -e $folder/$0 ]; then exec "$@"; fi
trap 'exit 130' INT TERM
trap 'echo -1 > $folder/$0' EXIT
cat /usr/lib/binfmt.d/$0.conf > $folder/register || exit 1
"$@"
`;
