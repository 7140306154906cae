// map_flags bits, <linux/bpf.h>.
export const FLAG = {
  NO_PREALLOC: 1 << 0,
  NO_COMMON_LRU: 1 << 1,
  NUMA_NODE: 1 << 2,
  RDONLY: 1 << 3,
  WRONLY: 1 << 4,
  STACK_BUILD_ID: 1 << 5,
  ZERO_SEED: 1 << 6,
  RDONLY_PROG: 1 << 7,
  WRONLY_PROG: 1 << 8,
  CLONE: 1 << 9,
  MMAPABLE: 1 << 10,
  PRESERVE_ELEMS: 1 << 11,
  INNER_MAP: 1 << 12,
  LINK: 1 << 13,
  VTYPE_BTF_OBJ_FD: 1 << 15,
  TOKEN_FD: 1 << 16,
  SEGV_ON_FAULT: 1 << 17,
  NO_USER_CONV: 1 << 18,
} as const;

export const ACCESS_MASK = FLAG.RDONLY | FLAG.WRONLY | FLAG.RDONLY_PROG | FLAG.WRONLY_PROG;

/** Read-only and write-only exclude each other, for each side. */
export const accessFlagsOk = (flags: number): boolean =>
  (flags & (FLAG.RDONLY_PROG | FLAG.WRONLY_PROG)) !== (FLAG.RDONLY_PROG | FLAG.WRONLY_PROG) &&
  (flags & (FLAG.RDONLY | FLAG.WRONLY)) !== (FLAG.RDONLY | FLAG.WRONLY);

/** Flags of an update. */
export const UPDATE = { ANY: 0n, NOEXIST: 1n, EXIST: 2n, LOCK: 4n } as const;
