import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ATTACH_TYPE, PROG_TYPE, type ProgTypeName } from '../../isa/uapi.ts';
import type { KernelImage } from '../image/image.ts';
import { ALL_CAPABILITIES } from '../objects.ts';
import type { ProgramView } from '../program-types/program-type.ts';
import { VerifierLog } from '../verifier/log.ts';
import { KF, KFUNC_SETS, kfuncFlags } from './index.ts';

interface Probed {
  /**
   * Kernel functions that Linux 6.18 lets every program type call, and those that only some types may. Without those
   * for packet metadata, which are refused earlier unless the program is bound to a device.
   */
  all: string;
  more: { types: string; kfuncs: string }[];
}
const PROBED = JSON.parse(readFileSync('testdata/program-types/kfunc-sets.json', 'utf8')) as Probed;

const words = (text: string): string[] => text.split(' ').filter((word) => word !== '');
const known = new Set([...words(PROBED.all), ...PROBED.more.flatMap((group) => words(group.kfuncs))]);

function view(type: ProgTypeName, attach: number): ProgramView {
  return {
    image: {} as KernelImage,
    log: new VerifierLog(0, 0),
    progType: PROG_TYPE[type],
    expectedAttachType: attach,
    sleepable: false,
    request: { caps: ALL_CAPABILITIES, attachBtfId: 0 },
    progFlags: new Set(),
  };
}

describe('kernel functions', () => {
  for (const group of PROBED.more) {
    for (const type of words(group.types) as ProgTypeName[]) {
      it(`of ${type} programs are those that Linux lets them call`, () => {
        const v = view(type, type === 'tracing' ? ATTACH_TYPE.trace_raw_tp : 0);
        const mine = [...known].filter((name) => kfuncFlags(v, name) !== undefined).sort();
        expect(mine).toEqual([...words(PROBED.all), ...words(group.kfuncs)].sort());
      });
    }
  }

  it('of a session are for sessions only', () => {
    expect(kfuncFlags(view('kprobe', 0), 'bpf_session_cookie')).toBeUndefined();
    expect(kfuncFlags(view('kprobe', ATTACH_TYPE.trace_kprobe_session), 'bpf_session_cookie')).toBe(0);
  });

  it('of sockets are for iterators only', () => {
    expect(kfuncFlags(view('tracing', ATTACH_TYPE.trace_iter), 'bpf_sock_destroy')).toBe(KF.TRUSTED_ARGS);
  });

  it('have no names that are properties of objects', () => {
    expect(kfuncFlags(view('xdp', 0), 'constructor')).toBeUndefined();
  });

  it('acquire or release as their names say', () => {
    for (const set of KFUNC_SETS) {
      for (const [name, flags] of Object.entries(set.flags)) {
        if (name.endsWith('_release')) expect(flags & KF.RELEASE, name).not.toBe(0);
        if (name.endsWith('_acquire')) expect(flags & KF.ACQUIRE, name).not.toBe(0);
      }
    }
  });
});
