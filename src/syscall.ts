// The door: the bpf(2) system call as a typed interface. Two kernels stand behind it: the simulated one
// (src/kernel) and the running Linux (src/live). User space above it never knows which.
//
// Every method throws SysError with the errno that Linux gives. Descriptors are small integers that belong to the
// Kernel value that gave them; close() drops them, closeAll() at the end of a command drops the rest.

/** Where a verifier or BTF log goes: filled by progLoad and btfLoad, whether they fail or not. */
export interface LogRequest {
  /** Bits: 1 path, 2 every instruction, 4 statistics, 8 keep the first bytes instead of the last. */
  level: number;
  /** Size in bytes of the buffer that the caller offers. */
  size: number;
  /** Text written, without the final NUL. */
  text?: string;
  /** Size that would have held everything, final NUL included. */
  trueSize?: number;
}

/** Attributes of BPF_MAP_CREATE. Numbers are those of `union bpf_attr`; unset means 0. */
export interface MapCreateAttr {
  type: number;
  keySize: number;
  valueSize: number;
  maxEntries: number;
  flags?: number;
  innerMapFd?: number;
  numaNode?: number;
  /** At most 15 bytes of [A-Za-z0-9_.]. */
  name?: string;
  ifindex?: number;
  btfFd?: number;
  btfKeyTypeId?: number;
  btfValueTypeId?: number;
  btfVmlinuxValueTypeId?: number;
  mapExtra?: bigint;
  valueTypeBtfObjFd?: number;
  tokenFd?: number;
  /** SHA-256 of the only program that may use the map; the simulated kernel does not look at it. */
  exclProgHash?: Uint8Array;
}

/** Records as the kernel takes them: `bytes` holds count × recSize bytes. */
export interface InfoRecords {
  recSize: number;
  bytes: Uint8Array;
}

/** Attributes of BPF_PROG_LOAD. */
export interface ProgLoadAttr {
  type: number;
  /** Instructions in wire form. */
  insns: Uint8Array;
  license: string;
  log?: LogRequest;
  kernVersion?: number;
  flags?: number;
  name?: string;
  ifindex?: number;
  expectedAttachType?: number;
  btfFd?: number;
  funcInfo?: InfoRecords;
  lineInfo?: InfoRecords;
  coreRelos?: InfoRecords;
  attachBtfId?: number;
  attachProgFd?: number;
  attachBtfObjFd?: number;
  fdArray?: readonly number[];
  /** True: pass fd_array_cnt, so that every entry is bound to the program. */
  fdArrayBinds?: boolean;
  /** CMS signature of the instructions, and the keyring that its signer must be in. */
  signature?: Uint8Array;
  keyringId?: number;
  tokenFd?: number;
}

/** Attributes of BPF_PROG_TEST_RUN. */
export interface ProgRunAttr {
  /** Context as the program sees it, at most 65535 bytes; holds afterwards what the program made of it. */
  context: Uint8Array;
  /** Memory of the caller: its address is put into the 8 bytes of the context at `at`. Programs may write into it. */
  buffers?: readonly { at: number; bytes: Uint8Array }[];
}

export interface BtfLoadAttr {
  bytes: Uint8Array;
  log?: LogRequest;
  tokenFd?: number;
}

/** BPF_OBJ_GET_INFO_BY_FD of a program, names as in `struct bpf_prog_info`. */
export interface ProgInfo {
  type: number;
  id: number;
  /** 8 bytes. */
  tag: Uint8Array;
  name: string;
  /** Nanoseconds since boot. */
  loadTime: bigint;
  createdByUid: number;
  gplCompatible: boolean;
  mapIds: number[];
  ifindex: number;
  netnsDev: bigint;
  netnsIno: bigint;
  btfId: number;
  attachBtfObjId: number;
  attachBtfId: number;
  verifiedInsns: number;
  runTimeNs: bigint;
  runCnt: bigint;
  recursionMisses: bigint;
  /** bpf_prog_info.xlated_prog_insns, sanitised for user space as Linux does. */
  xlated: Uint8Array;
  /** All functions one after the other. */
  jited: Uint8Array;
  /** Address of each function. */
  jitedKsyms: bigint[];
  /** Bytes of each function in `jited`. */
  jitedFuncLens: number[];
  /** 8 bytes a function. */
  progTags: Uint8Array[];
  funcInfo?: InfoRecords;
  lineInfo?: InfoRecords;
  /** One address a line record. */
  jitedLineInfo: bigint[];
  /** /proc/self/fdinfo: bytes charged. */
  memlock: number;
  /** Attach type it was loaded for. */
  expectedAttachType?: number;
}

/** BPF_OBJ_GET_INFO_BY_FD of a map, and what its fdinfo adds. */
export interface MapInfo {
  type: number;
  id: number;
  keySize: number;
  valueSize: number;
  maxEntries: number;
  flags: number;
  name: string;
  ifindex: number;
  btfVmlinuxValueTypeId: number;
  netnsDev: bigint;
  netnsIno: bigint;
  btfId: number;
  btfKeyTypeId: number;
  btfValueTypeId: number;
  btfVmlinuxId: number;
  mapExtra: bigint;
  memlock: number;
  frozen: boolean;
  /** Prog-array and similar: type and JIT state of the owner, as fdinfo tells. */
  ownerProgType?: number;
  ownerJited?: boolean;
}

export interface BtfInfo {
  id: number;
  /** Empty for a program's own BTF; "vmlinux" or a module's name for the kernel's. */
  name: string;
  kernelBtf: boolean;
  /** Bytes of the BTF data. */
  size: number;
  bytes: Uint8Array;
}

export interface LinkInfo {
  type: number;
  id: number;
  progId: number;
  /** The type's own fields, named as in `struct bpf_link_info`. */
  detail: Readonly<Record<string, string | number | bigint | boolean>>;
}

/** What a pin in the tree is. */
export type PinKind = 'prog' | 'map' | 'link' | 'btf';

export interface TreeEntry {
  name: string;
  kind: PinKind | 'dir' | 'other';
  /** Id of the pinned object; absent for folders and others. */
  id?: number;
}

/** Kinds of objects that have ids. */
export type ObjectKind = 'prog' | 'map' | 'btf' | 'link';

/** Architectures that machine code is made for. */
export type CodeArch = 'x86-64' | 'arm64';

/** Machine code of a program, as the fields of `ProgInfo` have it, and the names of its functions. */
export interface ProgCode extends Pick<ProgInfo, 'jited' | 'jitedKsyms' | 'jitedFuncLens' | 'jitedLineInfo'> {
  names: string[];
}

/** A program as it was loaded, and what became of its instructions. */
export interface ProgSource {
  /** Wire bytes, maps by id. */
  insns: Uint8Array;
  /** For each slot of `ProgInfo.xlated` the index of the loaded instruction that it stands for; -1: none. */
  origins: readonly number[];
}

export interface Kernel {
  readonly kind: 'simulated' | 'live';

  mapCreate(attr: MapCreateAttr): number;
  /** Value bytes; of a per-CPU map, one value of size rounded up to 8 for each possible CPU. */
  mapLookup(fd: number, key: Uint8Array, flags?: bigint): Uint8Array;
  mapUpdate(fd: number, key: Uint8Array, value: Uint8Array, flags?: bigint): void;
  mapDelete(fd: number, key: Uint8Array): void;
  mapLookupAndDelete(fd: number, key: Uint8Array, flags?: bigint): Uint8Array;
  /** Key after `key`, the first one after undefined; ENOENT at the end. */
  mapNextKey(fd: number, key: Uint8Array | undefined): Uint8Array;
  mapFreeze(fd: number): void;

  progLoad(attr: ProgLoadAttr): number;
  progBindMap(progFd: number, mapFd: number): void;
  /** Runs a program once, of type syscall; gives what it returned, unsigned 32 bits. */
  progRun(fd: number, attr: ProgRunAttr): number;
  btfLoad(attr: BtfLoadAttr): number;

  objPin(path: string, fd: number): void;
  objGet(path: string): { fd: number; kind: PinKind };
  /** The next id after `id` of a kind; ENOENT after the last. */
  nextId(kind: ObjectKind, id: number): number;
  fdById(kind: ObjectKind, id: number): number;
  progInfo(fd: number): ProgInfo;
  /**
   * Machine code that this kernel would make of the program on another architecture; EOPNOTSUPP for a program that it
   * keeps too little of. Absent where a kernel knows one architecture only.
   */
  progCode?(fd: number, arch: CodeArch): ProgCode;
  /** The program as it was loaded. Absent where a kernel forgets it, as Linux does. */
  progSource?(fd: number): ProgSource;
  mapInfo(fd: number): MapInfo;
  btfInfo(fd: number): BtfInfo;
  linkInfo(fd: number): LinkInfo;
  close(fd: number): void;
  /** Drops every descriptor, as the end of a process does; the value is of no use afterwards. */
  closeAll(): void;

  /** Folders of the bpf file system; paths are absolute, such as /sys/fs/bpf/x. */
  treeList(path: string): TreeEntry[];
  treeMkdir(path: string): void;
  /** Removes a pin, or an empty folder. */
  treeUnlink(path: string): void;
  /** A file under /proc, /sys or /boot as this kernel shows it; undefined where it has none. */
  readFile(path: string): Uint8Array | undefined;
  /** Name of the kernel or BPF function at exactly this address, as /proc/kallsyms has it. */
  symbolAt(address: bigint): string | undefined;
  /** Address of a kernel function; undefined where there is none or addresses are hidden. */
  symbolAddress(name: string): bigint | undefined;
  /** Nanoseconds since the epoch at which this kernel started: load times count from there. */
  bootTime(): bigint;
  /** uname -r. */
  readonly release: string;
  readonly possibleCpus: number;
}
