// Where the state file lies when nobody says.
import { homedir } from 'node:os';
import { posix, win32 } from 'node:path';

/** The state kept in memory only; it ends with the process. */
export const MEMORY = ':memory:';

interface Surroundings {
  platform: NodeJS.Platform;
  env: Readonly<Record<string, string | undefined>>;
  home: string;
}

const FILE = 'kernel.db';
const APPLICATION = 'bpftool';

/**
 * Path of the state file: the one given, else BPFTOOL_STATE, else the customary place of the platform
 * (XDG_STATE_HOME or ~/.local/state; ~/Library/Application Support; %LOCALAPPDATA%).
 */
export function statePath(given?: string, around: Partial<Surroundings> = {}): string {
  const env = around.env ?? process.env;
  if (given) return given;
  if (env.BPFTOOL_STATE) return env.BPFTOOL_STATE;
  const home = around.home ?? homedir();
  switch (around.platform ?? process.platform) {
    case 'win32':
      return win32.join(env.LOCALAPPDATA || win32.join(home, 'AppData', 'Local'), APPLICATION, FILE);
    case 'darwin':
      return posix.join(home, 'Library', 'Application Support', APPLICATION, FILE);
    default:
      return posix.join(env.XDG_STATE_HOME || posix.join(home, '.local', 'state'), APPLICATION, FILE);
  }
}
