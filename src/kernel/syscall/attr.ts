// Checks of attributes that several commands share.
import { SysError } from '../../errno.ts';
import type { LogRequest } from '../../syscall.ts';

const NAME = /^[A-Za-z0-9_.]*$/;
const NAME_CHARS = 15;

/** The name of an object, cut to what the attribute holds; EINVAL if it cannot be one. rule: bpf_obj_name_cpy, 6.18 */
export function objectName(name: string): string {
  const cut = name.slice(0, NAME_CHARS);
  if (!NAME.test(cut)) throw new SysError('EINVAL');
  return cut;
}

/** Standard input, output and error are the only descriptors that are neither free nor ours. */
const STANDARD_FDS = 3;

/** No token can be made here: EINVAL for a descriptor of something else, EBADF for none. */
export function checkToken(fd: number): never {
  throw new SysError(fd >= 0 && fd < STANDARD_FDS ? 'EINVAL' : 'EBADF');
}

/** Interface number of the loopback device, the only one here; it cannot take programs or maps over. */
const LOOPBACK = 1;

/** rule: bpf_dev_offload_check, 6.18 */
export function checkDevice(ifindex: number): never {
  throw new SysError(ifindex === LOOPBACK ? 'EOPNOTSUPP' : 'EINVAL');
}

/** Log levels: path, instructions, statistics, keep the first bytes. */
const LOG_KNOWN = 0xf;
const LOG_MAX = 0xffffffff >>> 2;

/** The log as it is when a command ends before it writes anything. */
export function clearLog(log: LogRequest | undefined): void {
  if (!log) return;
  log.text = '';
  log.trueSize = 0;
}

/** What a log must be like, if there is one. rule: bpf_verifier_log_attr_valid, 6.18 */
export function checkLogRequest(log: LogRequest | undefined): void {
  if (!log) return;
  const buffer = log.size !== 0;
  if ((buffer && log.level === 0) || log.level & ~LOG_KNOWN || log.size > LOG_MAX) throw new SysError('EINVAL');
}
