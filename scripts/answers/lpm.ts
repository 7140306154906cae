// Longest prefix match: order of keys, what remains of a key, what is charged.
import { MAP_TYPE } from '../../src/isa/uapi.ts';
import type { Kernel } from '../../src/syscall.ts';
import { randomSource } from '../random.ts';
import { type Answer, ask, u32 } from './answer.ts';

const STEPS = 160;
const hex = (b: Uint8Array): string => Buffer.from(b).toString('hex');

export function* askLpm(kernel: Kernel): Generator<Answer> {
  for (const data of [1, 3, 4]) {
    const random = randomSource(data);
    const fd = kernel.mapCreate({
      type: MAP_TYPE.lpm_trie,
      keySize: 4 + data,
      valueSize: 4,
      maxEntries: 40,
      flags: 1,
    });
    const key = (): Uint8Array => {
      const k = new Uint8Array(4 + data);
      k.set(u32(random.below(data * 8 + 2)));
      for (let i = 0; i < data; i++) k[4 + i] = random.below(4) * 85;
      return k;
    };
    const walk = (): string => {
      const keys: string[] = [];
      let at: Uint8Array | undefined;
      for (;;) {
        try {
          at = kernel.mapNextKey(fd, at);
        } catch {
          return keys.join(' ');
        }
        keys.push(hex(at));
      }
    };
    for (let step = 0; step < STEPS; step++) {
      const k = key();
      const what = `${data} bytes: ${step} ${hex(k)}`;
      switch (random.below(5)) {
        case 0:
          yield { what: `${what} lookup`, answer: ask(() => kernel.mapLookup(fd, k)) };
          break;
        case 1:
          yield { what: `${what} delete`, answer: ask(() => void kernel.mapDelete(fd, k)) };
          break;
        case 2:
          yield { what: `${what} next`, answer: ask(() => kernel.mapNextKey(fd, k)) };
          break;
        default: {
          const flags = BigInt(random.below(4));
          yield { what: `${what} update ${flags}`, answer: ask(() => void kernel.mapUpdate(fd, k, u32(step), flags)) };
        }
      }
      if (step % 20 === 19) yield { what: `${what} keys`, answer: `${walk()} ${kernel.mapInfo(fd).memlock}` };
    }
    kernel.close(fd);
  }
}
