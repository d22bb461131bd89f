import type { Native } from "./libc.ts";

/** `struct msghdr` of sendmsg(2) and recvmsg(2), with its pointers as numbers. */
export function msghdrOf(koffi: Native["koffi"]): ReturnType<Native["koffi"]["struct"]> {
  return koffi.struct({
    name: "uintptr_t",
    nameLength: "uint32_t",
    iov: "uintptr_t",
    iovLength: "size_t",
    control: "uintptr_t",
    controlLength: "size_t",
    flags: "int",
  });
}
