import { describe, expect, test } from 'vitest';
import { ATTACH_TYPE, PROG_TYPE } from '../isa/uapi.ts';
import { ObjectError } from './errors.ts';
import { Messages } from './print.ts';
import { findSection, progTypeByName, SECTION_RULES } from './sections.ts';

describe('section names', () => {
  test('with a plus in the table are taken alone or with a slash behind', () => {
    for (const name of ['kprobe', 'kprobe/', 'kprobe/do_nanosleep']) {
      expect(findSection(name)?.progType, name).toBe(PROG_TYPE.kprobe);
    }
    expect(findSection('kprobes')).toBeUndefined();
  });

  test('without a plus are taken exactly', () => {
    expect(findSection('xdp')?.progType).toBe(PROG_TYPE.xdp);
    expect(findSection('xdp/anything')).toBeUndefined();
    expect(findSection('tc/ingress')?.expectedAttachType).toBe(ATTACH_TYPE.tcx_ingress);
  });

  test('give attach types and flags', () => {
    expect(findSection('fentry.s/x')).toMatchObject({
      progType: PROG_TYPE.tracing,
      expectedAttachType: ATTACH_TYPE.trace_fentry,
      sleepable: true,
      attachBtf: true,
    });
    expect(findSection('xdp.frags/devmap')).toMatchObject({
      expectedAttachType: ATTACH_TYPE.xdp_devmap,
      xdpFrags: true,
      optionalAttachType: false,
    });
    expect(findSection('cgroup/sock')).toMatchObject({ attachable: true, optionalAttachType: true });
    expect(findSection('usdt.s')).toMatchObject({ usdt: true, sleepable: true });
  });

  test('are those of libbpf 1.8, all of them', () => {
    expect(SECTION_RULES).toHaveLength(116);
    expect(new Set(SECTION_RULES.map((r) => r.name)).size).toBe(116);
  });

  test('that are unknown are an error, which lists those that are known', () => {
    const lines: string[] = [];
    const messages = new Messages((level, text) => lines.push(`${level} ${text}`));
    expect(() => progTypeByName('nonsense', messages)).toThrow(ObjectError);
    expect(lines[0]).toBe("debug libbpf: failed to guess program type from ELF section 'nonsense'\n");
    expect(lines[1]).toMatch(/^debug libbpf: supported section\(type\) names are: socket sk_reuseport\/migrate sk_/);
  });
});
