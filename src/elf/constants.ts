// Numbers of the ELF64 format that BPF objects, kernels and modules use (System V gABI, <elf.h>).

export const SHT = {
  NULL: 0,
  PROGBITS: 1,
  SYMTAB: 2,
  STRTAB: 3,
  RELA: 4,
  HASH: 5,
  DYNAMIC: 6,
  NOBITS: 8,
  REL: 9,
  DYNSYM: 11,
  INIT_ARRAY: 14,
  FINI_ARRAY: 15,
  PREINIT_ARRAY: 16,
  GROUP: 17,
  SYMTAB_SHNDX: 18,
  LLVM_ADDRSIG: 0x6fff4c03,
} as const;

/** Section flags; the low 32 bits are all that any file uses. */
export const SHF = {
  WRITE: 1,
  ALLOC: 2,
  EXECINSTR: 4,
  MERGE: 16,
  STRINGS: 32,
  INFO_LINK: 64,
  COMPRESSED: 0x800,
} as const;

/** Special section numbers of symbols. */
export const SHN = { UNDEF: 0, LORESERVE: 0xff00, ABS: 0xfff1, COMMON: 0xfff2, XINDEX: 0xffff } as const;

/** Symbol types: `st_info & 15`. */
export const STT = { NOTYPE: 0, OBJECT: 1, FUNC: 2, SECTION: 3, FILE: 4 } as const;

/** Symbol bindings: `st_info >> 4`. */
export const STB = { LOCAL: 0, GLOBAL: 1, WEAK: 2 } as const;

/** Symbol visibilities: `st_other & 3`. */
export const STV = { DEFAULT: 0, INTERNAL: 1, HIDDEN: 2, PROTECTED: 3 } as const;

/** File types: `e_type`. */
export const ET = { NONE: 0, REL: 1, EXEC: 2, DYN: 3, CORE: 4 } as const;

/** Machines: `e_machine`. */
export const EM = { NONE: 0, X86_64: 62, BPF: 247 } as const;

/** Relocation types of EM_BPF as LLVM writes them. */
export const R_BPF = { NONE: 0, ABS64: 1, LDIMM64_ABS: 2, ABS32: 3, NODYLD32: 4, CALL32: 10 } as const;

/** Bytes of the records of ELF64. */
export const EHDR_BYTES = 64;
export const SHDR_BYTES = 64;
export const SYM_BYTES = 24;
export const REL_BYTES = 16;
