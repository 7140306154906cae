// What /proc tells of a descriptor of this process.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { PinKind } from '../syscall.ts';

/** Lines "key:\tvalue" of /proc/self/fdinfo/FD; empty when it cannot be read. */
export function fdInfo(fd: number): Map<string, string> {
  const out = new Map<string, string>();
  let text: string;
  try {
    text = readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8');
  } catch {
    return out;
  }
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) out.set(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return out;
}

/** All descriptors of this process. */
export const ownDescriptors = (): number[] => readdirSync('/proc/self/fd').map(Number);

/** Names of the anonymous inodes of each kind of object. */
const INODES: readonly (readonly [string, PinKind])[] = [
  ['bpf-map', 'map'],
  ['bpf-prog', 'prog'],
  ['bpf_link', 'link'],
  ['bpf-link', 'link'],
  ['btf', 'btf'],
];

/** Kind of the object behind a descriptor; undefined when it is none of BPF's. */
export function descriptorKind(fd: number): PinKind | undefined {
  let target: string;
  try {
    target = readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return undefined;
  }
  return INODES.find(([name]) => target.includes(name))?.[1];
}
