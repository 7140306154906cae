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
    what: '`version`: the line of features',
    why: 'It says what a build of bpftool has; this one disassembles as libbfd does and makes skeletons, and cannot sign programs. The comparison leaves the line out.',
  },
  {
    what: 'Writing to the context of kprobe programs is refused',
    why: 'The source of 6.18 would let uprobe programs write; the kernel of the capture refuses it for all, and the live kernel is the judge.',
  },
];
