import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ERRNO } from '../../errno.ts';
import type { VerifierEnv } from './env.ts';
import {
  acquireIrqState,
  acquireLock,
  acquireReference,
  checkResourceLeak,
  findLock,
  findReference,
  releaseIrqState,
  releaseLock,
  releaseReference,
} from './references.ts';
import { testEnv } from './test-env.ts';
import { REF, REG } from './types.ts';

const EXIT = 'BPF_EXIT instruction in main prog';
const leak = (env: VerifierEnv): [number, string] => {
  const err = checkResourceLeak(env, false, true, EXIT);
  return [err, env.log.finish()];
};

describe('references', () => {
  it('are found until they are released, with all registers that hold them', () => {
    const env = testEnv();
    const id = acquireReference(env, 3);
    for (const regno of [1, 6]) {
      env.regs[regno].type = REG.SOCKET;
      env.regs[regno].refObjId = id;
    }
    env.regs[7].type = REG.SOCKET;
    expect(findReference(env.state, id)).toBe(true);
    expect(releaseReference(env, id)).toBe(0);
    expect(findReference(env.state, id)).toBe(false);
    expect(env.regs[1].type).not.toBe(REG.SOCKET);
    expect(env.regs[6].type).not.toBe(REG.SOCKET);
    expect(env.regs[7].type).toBe(REG.SOCKET);
    expect(releaseReference(env, id)).toBe(-ERRNO.EINVAL);
  });

  it('that nobody released are named one by one', () => {
    const env = testEnv();
    acquireReference(env, 3);
    acquireReference(env, 8);
    const [err, log] = leak(env);
    expect(err).toBe(-ERRNO.EINVAL);
    expect(log.split('\n').slice(0, 3)).toEqual([
      'Unreleased reference id=1 alloc_insn=3',
      'Unreleased reference id=2 alloc_insn=8',
      `${EXIT} would lead to reference leak`,
    ]);
  });

  it('may stay with the callers of a function', () => {
    const env = testEnv();
    acquireReference(env, 3);
    env.state.cur.frameno = 1;
    expect(checkResourceLeak(env, false, false, EXIT)).toBe(0);
    expect(checkResourceLeak(env, true, false, EXIT)).toBe(-ERRNO.EINVAL);
  });
});

describe('what a path holds', () => {
  const regions: [string, (env: VerifierEnv) => unknown][] = [
    ['bpf_spin_lock', (env) => acquireLock(env, 0, REF.LOCK, 1, undefined)],
    ['bpf_local_irq_save', (env) => void acquireIrqState(env, 0)],
    ['bpf_rcu_read_lock', (env) => Object.assign(env.state, { activeRcuLock: true })],
    ['bpf_preempt_disable', (env) => Object.assign(env.state, { activePreemptLocks: 1 })],
  ];
  it.each(regions)('keeps it from ending inside %s', (name, enter) => {
    const env = testEnv();
    enter(env);
    const [err, log] = leak(env);
    expect(err).toBe(-ERRNO.EINVAL);
    expect(log).toBe(`${EXIT} cannot be used inside ${name}-ed region\n`);
  });

  it('does not matter where only references do', () => {
    const env = testEnv();
    for (const [, enter] of regions) enter(env);
    expect(checkResourceLeak(env, false, false, EXIT)).toBe(0);
  });
});

describe('locks', () => {
  it('taken and given back in any order leave the one innermost that was taken last', () => {
    const moves = fc.array(fc.tuple(fc.boolean(), fc.nat(3)), { maxLength: 20 });
    fc.assert(
      fc.property(moves, (list) => {
        const env = testEnv();
        const { state } = env;
        let held: number[] = [];
        for (const [take, lock] of list) {
          if (take && !held.includes(lock)) {
            acquireLock(env, 0, REF.RES_LOCK, lock + 1, env);
            held.push(lock);
          } else if (!take) {
            expect(releaseLock(state, REF.RES_LOCK, lock + 1, env)).toBe(held.includes(lock));
            // The kernel takes for innermost what was taken just before the one given back.
            const at = held.indexOf(lock);
            if (at >= 0 && at < held.length - 1) return;
            held = held.filter((one) => one !== lock);
          }
          expect(state.activeLocks).toBe(held.length);
          expect(state.activeLockId).toBe(held.length === 0 ? 0 : (held.at(-1) ?? 0) + 1);
          for (let one = 0; one < 4; one++) {
            expect(findLock(state, REF.LOCK_MASK, one + 1, env) !== undefined).toBe(held.includes(one));
          }
        }
      }),
    );
  });

  it('are told apart by what they lie in', () => {
    const env = testEnv();
    acquireLock(env, 0, REF.LOCK, 1, 'map');
    expect(releaseLock(env.state, REF.LOCK, 1, 'other map')).toBe(false);
    expect(releaseLock(env.state, REF.RES_LOCK, 1, 'map')).toBe(false);
    expect(releaseLock(env.state, REF.LOCK, 1, 'map')).toBe(true);
  });
});

describe('irq states', () => {
  it('are restored in the reverse order only', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.nat(5), (count, pick) => {
        const env = testEnv();
        const ids = Array.from({ length: count }, (_, i) => acquireIrqState(env, i));
        const wrong = ids[pick % count];
        if (wrong !== ids.at(-1)) expect(releaseIrqState(env.state, wrong)).toBe(-ERRNO.EACCES);
        for (const id of ids.reverse()) expect(releaseIrqState(env.state, id)).toBe(0);
        expect(env.state.activeIrqId).toBe(0);
        expect(env.state.refs).toEqual([]);
      }),
    );
  });
});
