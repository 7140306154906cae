// bpftool version: which bpftool and libbpf this one behaves as.
import type { CommandContext } from './command.ts';

const VERSION = '7.8.0';
const LIBBPF = '1.8';
const FEATURES = { libbfd: true, llvm: false, crypto: true, skeletons: true, bootstrap: false };

export function version(context: CommandContext): number {
  const { json } = context;
  if (json) {
    json.startObject().field('version', VERSION).field('libbpf_version', LIBBPF).name('features').startObject();
    for (const [name, have] of Object.entries(FEATURES)) json.field(name, have);
    json.endObject().endObject();
  } else {
    const enabled = Object.entries(FEATURES).flatMap(([name, have]) => (have ? [name] : []));
    context.out(`bpftool v${VERSION}\nusing libbpf v${LIBBPF}\nfeatures: ${enabled.join(', ')}\n`);
  }
  return 0;
}
