// Members of kernel structures that programs standing in for a structure's functions may write directly.
// Rule: bpf_tcp_ca_btf_struct_access, bpf_dummy_ops_btf_struct_access, 6.18.
import { BTF_KIND } from '../../btf/btf.ts';
import { ERRNO } from '../../errno.ts';
import type { RegState } from '../verifier/types.ts';
import type { ProgramView } from './program-type.ts';

/** Structure and member; accesses begin at the member, but for the private area, where they may begin anywhere. */
const TCP_SOCK_MEMBERS: readonly (readonly [struct: string, member: string])[] = [
  ['sock', 'sk_pacing_rate'],
  ['sock', 'sk_pacing_status'],
  ['inet_connection_sock', 'icsk_ca_priv'],
  ['inet_connection_sock', 'icsk_ack.pending'],
  ['tcp_sock', 'snd_cwnd'],
  ['tcp_sock', 'snd_cwnd_cnt'],
  ['tcp_sock', 'snd_cwnd_stamp'],
  ['tcp_sock', 'snd_ssthresh'],
  ['tcp_sock', 'ecn_flags'],
  ['tcp_sock', 'app_limited'],
];
const PRIVATE_AREA = 'icsk_ca_priv';

/** Bytes of a member; of a bit field those of the bits that it shares with its neighbours. */
function memberBytes(view: ProgramView, struct: string, path: string): number {
  const btf = view.image.btf();
  let id = btf.find(struct, BTF_KIND.STRUCT);
  for (const name of path.split('.')) {
    let found = 0;
    for (let i = 0; i < btf.vlen(id) && found === 0; i++) {
      if (btf.memberName(id, i) === name) found = btf.memberType(id, i);
    }
    id = btf.skipModsAndTypedefs(found);
  }
  return Math.max(btf.resolveSize(id), 0);
}

function refuse(view: ProgramView, text: string): number {
  view.log.write(`${text}\n`);
  return -ERRNO.EACCES;
}

/** A write to a TCP socket by a congestion control algorithm. 0 or a negative errno. */
export function tcpCongestionWrite(view: ProgramView, reg: RegState, off: number, size: number): number {
  const btf = view.image.btf();
  if (reg.btfId !== btf.find('tcp_sock', BTF_KIND.STRUCT)) return refuse(view, 'only read is supported');
  for (const [struct, member] of TCP_SOCK_MEMBERS) {
    const start = view.image.offsetOf(struct, member);
    const end = start + memberBytes(view, struct, member);
    if (member === PRIVATE_AREA ? off < start || off >= end : off !== start) continue;
    if (off + size <= end) return 0;
    const text = `write access at off ${off} with size ${size} beyond the member of tcp_sock ended at ${end}`;
    return refuse(view, text);
  }
  return refuse(view, `no write support to tcp_sock at off ${off}`);
}

/** A write to the state of the structure that exists for tests. */
export function dummyOpsWrite(view: ProgramView, reg: RegState, off: number, size: number): number {
  const btf = view.image.btf();
  const state = btf.find('bpf_dummy_ops_state', BTF_KIND.STRUCT);
  if (state === 0) return -ERRNO.EINVAL;
  if (reg.btfId !== state) return refuse(view, 'only access to bpf_dummy_ops_state is supported');
  return off + size <= btf.size(state) ? 0 : refuse(view, `write access at off ${off} with size ${size}`);
}
