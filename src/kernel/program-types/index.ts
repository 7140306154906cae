// The program types by number.
import { PROG_TYPES, type ProgTypeName } from '../../isa/uapi.ts';
import { cgroupDevice } from './cgroup-device.ts';
import { cgroupSkb } from './cgroup-skb.ts';
import { cgroupSock } from './cgroup-sock.ts';
import { cgroupSockAddr } from './cgroup-sock-addr.ts';
import { cgroupSockopt } from './cgroup-sockopt.ts';
import { cgroupSysctl } from './cgroup-sysctl.ts';
import { flowDissector } from './flow-dissector.ts';
import { kprobe } from './kprobe.ts';
import { lircMode2 } from './lirc-mode2.ts';
import { lwtIn, lwtOut, lwtSeg6local, lwtXmit } from './lwt.ts';
import { netfilter } from './netfilter.ts';
import { perfEvent } from './perf-event.ts';
import type { ProgramType } from './program-type.ts';
import { rawTracepoint, rawTracepointWritable } from './raw-tracepoint.ts';
import { schedAct, schedCls } from './sched.ts';
import { skLookup } from './sk-lookup.ts';
import { skMsg } from './sk-msg.ts';
import { skReuseport } from './sk-reuseport.ts';
import { skSkb } from './sk-skb.ts';
import { sockOps } from './sock-ops.ts';
import { socketFilter } from './socket-filter.ts';
import { syscall } from './syscall.ts';
import { tracepoint } from './tracepoint.ts';
import { ext, lsm, structOps, tracing } from './tracing.ts';
import { xdp } from './xdp.ts';

const ALL: readonly ProgramType[] = [
  socketFilter,
  kprobe,
  schedCls,
  schedAct,
  tracepoint,
  xdp,
  perfEvent,
  cgroupSkb,
  cgroupSock,
  lwtIn,
  lwtOut,
  lwtXmit,
  sockOps,
  skSkb,
  cgroupDevice,
  skMsg,
  rawTracepoint,
  cgroupSockAddr,
  lwtSeg6local,
  lircMode2,
  skReuseport,
  flowDissector,
  cgroupSysctl,
  rawTracepointWritable,
  cgroupSockopt,
  tracing,
  structOps,
  ext,
  lsm,
  skLookup,
  syscall,
  netfilter,
];

const byName = new Map<ProgTypeName, ProgramType>(ALL.map((type) => [type.name, type]));

/** The program type of a number; throws for numbers that no kernel type has (0 and beyond the last). */
export function programType(type: number): ProgramType {
  const found = byName.get(PROG_TYPES[type]);
  if (!found) throw new Error(`no program type ${type}`);
  return found;
}
