// `union bpf_attr` in bytes, for those who write or read it as memory: loader programs and what runs them.
// Source: <linux/bpf.h>, 6.18.

/** Numbers of `enum bpf_cmd`. */
export const COMMAND = {
  MAP_CREATE: 0,
  MAP_UPDATE_ELEM: 2,
  MAP_DELETE_ELEM: 3,
  PROG_LOAD: 5,
  MAP_GET_FD_BY_ID: 14,
  BTF_LOAD: 18,
  MAP_FREEZE: 22,
} as const;

/** Byte offsets of the fields by command. Places of strings and buffers are addresses. */
export const ATTR = {
  MAP_CREATE: {
    mapType: 0,
    keySize: 4,
    valueSize: 8,
    maxEntries: 12,
    mapFlags: 16,
    innerMapFd: 20,
    numaNode: 24,
    mapName: 28,
    mapIfindex: 44,
    btfFd: 48,
    btfKeyTypeId: 52,
    btfValueTypeId: 56,
    btfVmlinuxValueTypeId: 60,
    mapExtra: 64,
    valueTypeBtfObjFd: 72,
    mapTokenFd: 76,
  },
  /** MAP_UPDATE_ELEM and MAP_DELETE_ELEM; `mapFd` is that of MAP_FREEZE too. */
  ELEMENT: { mapFd: 0, key: 8, value: 16, flags: 24 },
  PROG_LOAD: {
    progType: 0,
    insnCnt: 4,
    insns: 8,
    license: 16,
    logLevel: 24,
    logSize: 28,
    logBuf: 32,
    kernVersion: 40,
    progFlags: 44,
    progName: 48,
    progIfindex: 64,
    expectedAttachType: 68,
    progBtfFd: 72,
    funcInfoRecSize: 76,
    funcInfo: 80,
    funcInfoCnt: 88,
    lineInfoRecSize: 92,
    lineInfo: 96,
    lineInfoCnt: 104,
    attachBtfId: 108,
    attachBtfObjFd: 112,
    coreReloCnt: 116,
    fdArray: 120,
    coreRelos: 128,
    coreReloRecSize: 136,
    progTokenFd: 144,
  },
  BTF_LOAD: { btf: 0, logBuf: 8, btfSize: 16, logSize: 20, logLevel: 24 },
  PROG_TEST_RUN: { progFd: 0, retval: 4, ctxSizeIn: 40, ctxIn: 48 },
} as const;

/** Bytes of a name, final NUL included (BPF_OBJ_NAME_LEN). */
export const NAME_BYTES = 16;
