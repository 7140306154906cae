import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ATTACH_TYPE, HELPERS, PROG_TYPE, type ProgTypeName } from '../../isa/uapi.ts';
import { HELPER_KEYS, prototypeOf } from '../helpers/index.ts';
import type { KernelImage } from '../image/image.ts';
import { ALL_CAPABILITIES, type Capabilities } from '../objects.ts';
import { VerifierLog } from '../verifier/log.ts';
import { helperProto } from './helper-lookup.ts';
import type { ProgramView } from './program-type.ts';

const CONFIG: Record<string, string> = { CONFIG_IPV6_SEG6_BPF: 'y' };
/** Enough of an image: settings, and a structure of functions for struct_ops programs. */
const image = {
  config: (name: string) => CONFIG[name],
  btf: () => ({
    count: 2,
    name: (id: number) => (id === 1 ? 'tcp_congestion_ops' : ''),
    memberName: (_id: number, i: number) => ['init', 'release'][i] ?? 'other',
  }),
} as unknown as KernelImage;

function view(
  type: ProgTypeName,
  attach = 0,
  caps: Capabilities = ALL_CAPABILITIES,
  sleepable = false,
  attachBtfId = 0,
): ProgramView {
  return {
    image,
    log: new VerifierLog(0, 0),
    progType: PROG_TYPE[type],
    expectedAttachType: attach,
    sleepable,
    request: { caps, attachBtfId },
    progFlags: new Set(),
  };
}

const names = (v: ProgramView): string[] => HELPERS.filter((_, id) => helperProto(v, id) !== undefined);

/** As `bpftool feature probe` of Linux 6.18 lists them, with the attach types that libbpf probes with. */
const PROBED = JSON.parse(readFileSync('testdata/program-types/helper-sets.json', 'utf8')) as Record<
  ProgTypeName,
  string
>;
const PROBE_ATTACH: Partial<Record<ProgTypeName, number>> = {
  cgroup_sock_addr: ATTACH_TYPE.cgroup_inet4_connect,
  cgroup_sockopt: ATTACH_TYPE.cgroup_getsockopt,
  cgroup_sock: ATTACH_TYPE.cgroup_inet_sock_create,
  sk_lookup: ATTACH_TYPE.sk_lookup,
};
/** bpftool leaves these out unless asked for all. */
const UNPROBED = ['trace_printk', 'trace_vprintk', 'probe_write_user'];

describe('helper sets', () => {
  for (const type of Object.keys(PROBED) as ProgTypeName[]) {
    it(`of ${type} are those that Linux has`, () => {
      const mine = names(view(type, PROBE_ATTACH[type], ALL_CAPABILITIES, type === 'syscall'));
      expect(mine.filter((name) => !UNPROBED.includes(name))).toEqual(PROBED[type].split(' '));
    });
  }

  it('shrink without capabilities', () => {
    const none = { bpf: false, perfmon: false, netAdmin: false, sysAdmin: false };
    const unprivileged = names(view('socket_filter', 0, none));
    expect(unprivileged).toContain('map_lookup_elem');
    expect(unprivileged).not.toContain('spin_lock');
    expect(unprivileged).not.toContain('trace_printk');
    const bpfOnly = names(view('sched_cls', 0, { ...none, bpf: true }));
    expect(bpfOnly).toContain('spin_lock');
    expect(bpfOnly).not.toContain('skc_to_tcp_sock');
    expect(names(view('kprobe', 0, { ...ALL_CAPABILITIES, sysAdmin: false }))).not.toContain('probe_write_user');
  });

  it('choose variants by attach type and sleepability', () => {
    const id = HELPERS.indexOf('get_attach_cookie');
    expect(helperProto(view('kprobe'), id)?.symbol).toBe('bpf_get_attach_cookie_trace');
    expect(helperProto(view('kprobe', ATTACH_TYPE.trace_kprobe_multi), id)?.symbol).toBe(
      'bpf_get_attach_cookie_kprobe_multi',
    );
    const stack = HELPERS.indexOf('get_task_stack');
    expect(helperProto(view('syscall', 0, ALL_CAPABILITIES, true), stack)?.symbol).toBe('bpf_get_task_stack_sleepable');
    const cpu = HELPERS.indexOf('get_smp_processor_id');
    expect(helperProto(view('socket_filter'), cpu)?.fastcall).toBeUndefined();
    expect(helperProto(view('xdp'), cpu)?.fastcall).toBe(true);
  });

  it('of a congestion control leave out socket options when it is released', () => {
    const tcp = (member: number): string[] => names(view('struct_ops', member, ALL_CAPABILITIES, false, 1));
    expect(tcp(0)).toContain('setsockopt');
    expect(tcp(1)).not.toContain('setsockopt');
    expect(tcp(1)).toContain('tcp_send_ack');
  });

  it('know no number beyond the last', () => {
    expect(helperProto(view('xdp'), 0)).toBeUndefined();
    expect(helperProto(view('xdp'), HELPERS.length)).toBeUndefined();
    expect(helperProto(view('xdp'), -1)).toBeUndefined();
  });
});

describe('prototypes', () => {
  it('take at most five arguments', () => {
    for (const key of HELPER_KEYS) expect(prototypeOf(key).args.length).toBeLessThanOrEqual(5);
  });
  it('exist for every helper', () => {
    const types = Object.keys(PROG_TYPE).slice(1) as ProgTypeName[];
    const attach = [0, ...Object.values(ATTACH_TYPE)];
    CONFIG.CONFIG_BPF_KPROBE_OVERRIDE = 'y';
    const seen = new Set<string>();
    for (const type of types) for (const at of attach) for (const name of names(view(type, at))) seen.add(name);
    for (const name of names(view('struct_ops', 0, ALL_CAPABILITIES, false, 1))) seen.add(name);
    delete CONFIG.CONFIG_BPF_KPROBE_OVERRIDE;
    expect(HELPERS.filter((name) => name !== 'unspec' && !seen.has(name))).toEqual([]);
  });
});
