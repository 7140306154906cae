// Byte layouts of a loader program's own. Source: libbpf 1.8, skel_internal.h and gen_loader.c.

/** Bytes of `union bpf_attr` that the loader passes, by command. */
export const ATTR_BYTES = { MAP_CREATE: 72, MAP_UPDATE_ELEM: 32, PROG_LOAD: 140, BTF_LOAD: 28, MAP_FREEZE: 4 } as const;

/** `struct bpf_loader_ctx`, which begins the context of a loader program. */
export const LOADER_CTX = { size: 0, flags: 4, logLevel: 8, logSize: 12, logBuf: 16, bytes: 24 } as const;
/** `struct bpf_map_desc`: one for each map follows. */
export const MAP_DESC = { mapFd: 0, maxEntries: 4, initialValue: 8, bytes: 16 } as const;
/** `struct bpf_prog_desc`: one for each program follows those of the maps. */
export const PROG_DESC = { progFd: 0, bytes: 4 } as const;
/** Bit of `flags`: initial values lie in kernel memory. */
export const SKEL_KERNEL = 1;

/** `struct bpf_core_relo`. */
export const CORE_RELO_BYTES = 16;

/** Most maps and programs that a loader program has room for, and places for descriptors of BTF. */
export const MAX_MAPS = 64;
export const MAX_PROGRAMS = 32;
export const MAX_KFUNC_BTFS = 256;
