// Runs every case of testdata/verifier/**/*.json through bpfCheck and compares with what Linux 6.18 answered.
//
// A file is {"cases": [...]}. A case is written by hand with its input fields; `scripts/capture-cases.py FILE...` asks
// the running kernel and fills in `expect`. Input fields (all but name, type and insns/asm may be left out):
//
//   name        what the case shows, a sentence
//   type        program type as in PROG_TYPES: "xdp", "socket_filter", …
//   insns       the program in hex, 16 digits an instruction, blanks allowed; or instead
//   asm         lines of LLVM BPF assembly, which the capture script turns into `insns`. Besides LLVM's own syntax
//               ("r0 = 1", "if r1 == 0 goto L", "L:", "*(u64 *)(r10 - 8) = r1", "call 1", "exit") these lines:
//                 rN = map I            ldimm64 of the map with index I in `maps`
//                 rN = mapval I OFF     ldimm64 of the value address + OFF of map I
//                 rN = func L           ldimm64 of the function at label L (pseudo func)
//                 rN = btf ID|NAME      ldimm64 of a kernel BTF variable
//                 call sub L            call of the function at label L
//                 call kfunc NAME       call of a kernel function; NAME or BTF id
//                 call helper NAME      call of a helper by its name without bpf_
//                 raw HEX               16 hex digits as they are
//   functions   prototypes in the order of the functions, made into btf and funcInfo: ["main(xdp_md*)", "static cb(u64,
//               void*)", "global f(pair* nonnull, int)"]. The first begins the program, the others at the label of
//               their name. Types: int, char, long, u32, u64, pair (two ints), any other name is an empty struct; `*`
//               makes a pointer, further words are arg: tags, a word before the name is what it returns
//   exception   name of the function that the main one names as its exception callback
//   lines       [[index or label, line number, text], …], made into lineInfo
//   license     default "GPL"
//   flags       prog_flags, default 0
//   attachType  expected_attach_type number, default 0
//   attachBtf   name of the kernel's BTF type to attach to ("task_newtask" for tp_btf takes "btf_trace_task_newtask"),
//               or its number; captured as `attachBtfId`
//   level       log level, default 2
//   logSize     size of the log buffer, default 16 MiB
//   caps        "all" (default), "bpf" (CAP_BPF and CAP_NET_ADMIN only, so no CAP_PERFMON) or "none"
//   maps        [{type, key, value, max, name?, flags?, extra?, inner?, frozen?, keyBtf?, valueBtf?, data?}]: type as in
//               MAP_TYPES; key and value are sizes in bytes; inner is an index in maps; keyBtf and valueBtf are type
//               ids of `btf`; data is the hex of element 0. An ldimm64 (or fdArray) names the map with index I by the
//               descriptor I + 1.
//   btf         the program's BTF in hex; funcInfo, lineInfo, coreRelos: records of 8, 16 and 16 bytes in hex
//   fdArray     numbers: map descriptors as above, 1000 is the program's BTF, 1001 vmlinux; fdArrayBinds: true passes
//               fd_array_cnt
//
// Captured:
//
//   expect.errno      0, or positive
//   expect.log        lines of the log as an array, without their newline; the last element has what follows the last
//                     newline. Kernel addresses in ldimm64 lines read 0xADDR, times read N usec.
//   expect.trueSize   log_true_size
//   expect.verifiedInsns, expect.tag, expect.xlated, expect.jited
//                     of loads that succeed; xlated as user space sees it with map ids replaced by descriptors
import { describe, expect, it } from 'vitest';
import { readCases, runCase } from './verify-case.ts';

describe.each(readCases())('$file', ({ cases }) => {
  it.each(cases)('$name', (theCase) => {
    const got = runCase(theCase);
    expect(got.log).toEqual(theCase.expect.log);
    expect(got.errno).toBe(theCase.expect.errno);
    if (theCase.expect.trueSize !== undefined) expect(got.trueSize).toBe(theCase.expect.trueSize);
    if (theCase.expect.tag !== undefined) expect(got.tag).toBe(theCase.expect.tag);
  });
});
