// Contexts of cgroup programs that are about no packet: struct bpf_sysctl and struct bpf_sockopt.
import { insnSize, SIZE } from '../../../isa/opcode.ts';
import { load, sizeBits } from '../build.ts';
import { type ContextRules, type Converter, readWrite, through } from './conversion.ts';

const SYSCTL = 'bpf_sysctl_kern';
const SOCKOPT = 'bpf_sockopt_kern';

const filePos: Converter = (c) => {
  const { code, dst, src } = c.insn;
  if (c.write) {
    c.borrow(`${SYSCTL}.tmp_reg`, (reg) => {
      c.loadField(reg, dst, `${SYSCTL}.ppos`);
      c.storeAs(SIZE.W, 0, reg);
    });
  } else {
    c.loadField(dst, src, `${SYSCTL}.ppos`);
    c.emit(load(insnSize(code), dst, dst, 0));
  }
  c.targetSize = 4;
};

const write: Converter = (c) => {
  const { off, size } = c.field(`${SYSCTL}.write`);
  c.emit(load(insnSize(c.insn.code), c.insn.dst, c.insn.src, off));
  c.targetSize = size;
};

/** rule: sysctl_convert_ctx_access, 6.18 */
export const SYSCTL_CONTEXT: ContextRules = { struct: 'bpf_sysctl', fields: { write, file_pos: filePos } };

const RUN_CONTEXT = [`${SOCKOPT}.current_task`, 'task_struct.bpf_ctx'] as const;
const RETVAL = 'bpf_cg_run_ctx.retval';

const retval: Converter = (c) => {
  if (!c.write) return through(...RUN_CONTEXT, RETVAL)(c);
  const { off, size } = c.field(RETVAL);
  c.borrow(`${SOCKOPT}.tmp_reg`, (reg) => {
    c.loadField(reg, c.insn.dst, RUN_CONTEXT[0]);
    c.loadField(reg, reg, RUN_CONTEXT[1]);
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
    retval,
    optval: through(`${SOCKOPT}.optval`),
    optval_end: through(`${SOCKOPT}.optval_end`),
  },
};
