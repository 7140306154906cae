// struct bpf_sysctl and bpf_sockopt: what programs for control groups see besides packets and sockets.
import { SIZE } from '../../../isa/opcode.ts';
import { load, sizeBits } from '../build.ts';
import { accessSize, type ContextRules, type Converter, readWrite, through } from './conversion.ts';

const SYSCTL = 'bpf_sysctl_kern';
const SOCKOPT = 'bpf_sockopt_kern';

const sysctlWrite: Converter = (c) => {
  const { off, size } = c.field(`${SYSCTL}.write`);
  c.emit(load(accessSize(c), c.insn.dst, c.insn.src, off));
  c.targetSize = size;
};

/** The position is behind a pointer; programs see its lower half. */
const filePosition: Converter = (c) => {
  const { dst, src } = c.insn;
  const pointer = `${SYSCTL}.ppos`;
  c.targetSize = 4;
  if (c.write) {
    c.borrow(`${SYSCTL}.tmp_reg`, (reg) => {
      c.loadField(reg, dst, pointer);
      c.storeAs(SIZE.W, 0, reg);
    });
  } else {
    c.loadField(dst, src, pointer);
    c.emit(load(accessSize(c), dst, dst, 0));
  }
};

/** rule: sysctl_convert_ctx_access, 6.18 */
export const SYSCTL_CONTEXT: ContextRules = {
  struct: 'bpf_sysctl',
  fields: { write: sysctlWrite, file_pos: filePosition },
};

/** The return value lies in the context that the task runs programs in. */
const returnValue: Converter = (c) => {
  const { dst } = c.insn;
  const { off, size } = c.field('bpf_cg_run_ctx.retval');
  const path = [`${SOCKOPT}.current_task`, 'task_struct.bpf_ctx'];
  if (!c.write) return through(...path, 'bpf_cg_run_ctx.retval')(c);
  c.borrow(`${SOCKOPT}.tmp_reg`, (reg) => {
    c.loadField(reg, dst, path[0]);
    c.loadField(reg, reg, path[1]);
    c.storeAs(sizeBits(size), off, reg);
  });
};

/** rule: cg_sockopt_convert_ctx_access, 6.18 */
export const SOCKOPT_CONTEXT: ContextRules = {
  struct: 'bpf_sockopt',
  fields: {
    sk: through(`${SOCKOPT}.sk`),
    level: readWrite(`${SOCKOPT}.level`),
    optname: readWrite(`${SOCKOPT}.optname`),
    optlen: readWrite(`${SOCKOPT}.optlen`),
    retval: returnValue,
    optval: through(`${SOCKOPT}.optval`),
    optval_end: through(`${SOCKOPT}.optval_end`),
  },
};
