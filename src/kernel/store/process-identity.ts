// Who holds descriptors: a process told apart from later ones with the same number.
import { readFileSync, readlinkSync } from 'node:fs';

/** A process as the state file notes it. */
export interface ProcessIdentity {
  pid: number;
  /** Start time as the system counts it; empty where it cannot be known. */
  started: string;
  /** The running system and its process numbering: boot id and pid namespace; empty where there is none. */
  space: string;
}

/** Fields of /proc/<pid>/stat, counted from the one after the command name. */
const STATE_FIELD = 0;
const START_FIELD = 19;
/** States of a process that has ended. */
const ENDED = 'ZX';

const quietly = (read: () => string): string => {
  try {
    return read();
  } catch {
    return '';
  }
};

/** State letter and start time in clock ticks since boot; empty when they cannot be read. rule: proc(5) */
function statOf(pid: number): { state: string; started: string } {
  const stat = quietly(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  // The command name in parentheses may itself hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state: fields[STATE_FIELD] ?? '', started: fields[START_FIELD] ?? '' };
}

const bootId = (): string => quietly(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim());
const pidNamespace = (): string => quietly(() => readlinkSync('/proc/self/ns/pid'));

let own: ProcessIdentity | undefined;

/** This process. */
export function ownIdentity(): ProcessIdentity {
  own ??= {
    pid: process.pid,
    started: process.platform === 'linux' ? statOf(process.pid).started : '',
    space: process.platform === 'linux' ? `${bootId()} ${pidNamespace()}` : '',
  };
  return own;
}

/** Whether a noted process may still be running; true when that cannot be told from here. */
export function mayBeAlive(noted: ProcessIdentity): boolean {
  const self = ownIdentity();
  if (noted.space !== self.space) {
    const [boot] = noted.space.split(' ');
    const [ownBoot] = self.space.split(' ');
    return boot === ownBoot;
  }
  if (noted.pid === self.pid) return noted.started === self.started;
  try {
    process.kill(noted.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  if (noted.started === '') return true;
  const now = statOf(noted.pid);
  return now.started === '' || (now.started === noted.started && !ENDED.includes(now.state));
}
