// Differences that are meant, each with its reason. `matches` names the ledger entries that it explains.

export interface Deliberate {
  what: string;
  why: string;
}

export const DELIBERATE: readonly Deliberate[] = [
  {
    what: '`feature probe`: program types tracing, ext and lsm',
    why: 'The kernel of the capture refuses them by a policy of its own before it looks at the program; the simulated kernel is a Linux 6.18 without that policy. The comparison leaves their three lines out.',
  },
  {
    what: 'Writing to the context of kprobe programs is refused',
    why: 'The source of 6.18 would let uprobe programs write; the kernel of the capture refuses it for all, and the live kernel is the judge.',
  },
  {
    what: '`-L` of objects on which bpftool 7.8 crashes: struct_ops, raw tracepoints without a name, data of an arena',
    why: 'Here they are told as errors.',
  },
  {
    what: '`-S` with a key or certificate that cannot be used',
    why: "The reason is told in words of our own; bpftool prints OpenSSL's list of errors, with the lines of its source.",
  },
  {
    what: '`-d -L prog load`: the lines vmlinux_cand_cache and module_cand_cache',
    why: 'Linux shows what all programs since its start have looked for, ours those of the same process. The comparison leaves the lines out.',
  },
  {
    what: 'A work queue handed to `bpf_wq_init` with a map that has no special fields',
    why: 'Linux 6.18.44 looks for the fields at a bad address and kills the loading process; here the program is refused as one that hands over the wrong map (`testdata/verifier/deliberate`).',
  },
  {
    what: '`btf dump … format c` of deeply nested declarations',
    why: 'bpftool 7.8 uses memory that has been reallocated: it crashes or prints remains of other declarations. What is compared is what it prints when blocks have room to grow (`scripts/roomy-realloc.c`).',
  },
  {
    what: '`btf dump` and `gen min_core_btf` of files whose sections are compressed (`objcopy --compress-debug-sections`)',
    why: 'bpftool 7.8 does not unpack them and says "Invalid argument"; here zlib and zstd are read.',
  },
  {
    what: '`btf dump … root_id` without a number',
    why: 'bpftool 7.8 crashes; here the missing word is told.',
  },
  {
    what: '`batch` whose commands all succeed',
    why: 'bpftool 7.8 looks at the error number at the end of the file, which a command that has succeeded may have left behind ("reading batch file failed: Bad file descriptor"); here the run succeeds.',
  },
  {
    what: '`visual` of a program with several inlined `bpf_loop`s',
    why: 'bpftool 7.8 crashes in the middle of the graph; here it is drawn.',
  },
];
