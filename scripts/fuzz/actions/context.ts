// Accesses to the context, and what comes of its fields.
import { JMP } from '../../../src/isa/opcode.ts';
import { baseType, mayBeNull, REG } from '../../../src/kernel/verifier/types.ts';
import type { Action } from '../action.ts';
import type { Generator } from '../generator.ts';
import type { ContextField } from '../program-kinds.ts';
import { scalar, UNKNOWN, type Value } from '../values.ts';

const SOCKETS: Readonly<Record<number, string>> = {
  [REG.SOCKET]: 'sock',
  [REG.SOCK_COMMON]: 'sock_common',
  [REG.TCP_SOCK]: 'tcp_sock',
  [REG.XDP_SOCK]: 'xdp_sock',
};

/** The value that a read of a field gives. */
export function fieldValue(g: Generator, field: ContextField): Value {
  const base = baseType(field.regType);
  const nullable = mayBeNull(field.regType);
  if (base === REG.SCALAR) return field.size < 4 ? scalar(0, 2 ** (8 * field.size) - 1) : UNKNOWN;
  // All reads of the packet's start give the same pointer.
  if (base === REG.PACKET) return { kind: 'packet', id: 0, off: 0, vary: 0 };
  if (base === REG.PACKET_META) return { kind: 'meta', id: -1, off: 0, vary: 0 };
  if (base === REG.PACKET_END) return { kind: 'packet_end' };
  if (base === REG.TP_BUFFER || base === REG.BUF)
    return { kind: 'mem', size: 32, writable: true, ref: 0, off: 0, vary: 0, nullable, id: g.newId() };
  if (base === REG.BTF_ID) {
    return { kind: 'object', struct: field.struct ?? '', trusted: true, ref: 0, off: 0, nullable, id: g.newId() };
  }
  return { kind: 'other', name: SOCKETS[base] ?? 'flow_keys', ref: 0, nullable, id: g.newId() };
}

const context = (g: Generator): number | undefined => g.findReg((v) => v.kind === 'ctx' && v.off === 0);

function read(g: Generator): boolean {
  const { rng, asm, kind } = g;
  const ctx = context(g);
  if (ctx === undefined) return false;
  const value = g.value(ctx);
  const base = value.kind === 'ctx' ? value.off : 0;
  const dst = g.freeReg();
  if (g.mistake()) {
    asm.load(rng.pick([1, 2, 4, 8]), dst, ctx, rng.between(-8, 200));
    g.set(dst, UNKNOWN);
    return true;
  }
  const reads = kind.fields.filter((f) => f.access === 'read');
  if (reads.length === 0) return false;
  const field = rng.pick(reads);
  const signed = field.size < 8 && field.regType === REG.SCALAR && rng.chance(0.1);
  asm.load(field.size, dst, ctx, field.off - base, signed ? 0x80 : 0x60);
  g.set(dst, signed ? UNKNOWN : fieldValue(g, field));
  return true;
}

function readPointer(g: Generator): boolean {
  const fields = g.kind.fields.filter((f) => f.access === 'read' && f.regType !== REG.SCALAR);
  const ctx = context(g);
  if (ctx === undefined || fields.length === 0) return false;
  const value = g.value(ctx);
  const field = g.rng.pick(fields);
  const dst = g.freeReg([ctx]);
  g.asm.load(field.size, dst, ctx, field.off - (value.kind === 'ctx' ? value.off : 0));
  g.set(dst, fieldValue(g, field));
  return true;
}

function write(g: Generator): boolean {
  const { rng, asm, kind } = g;
  const ctx = context(g);
  if (ctx === undefined) return false;
  const value = g.value(ctx);
  const base = value.kind === 'ctx' ? value.off : 0;
  const writes = kind.fields.filter((f) => f.access === 'write');
  if (writes.length === 0 && !g.mistake()) return false;
  const field =
    writes.length && !g.mistake() ? rng.pick(writes) : { off: rng.below(192), size: rng.pick([1, 2, 4, 8]) };
  if (rng.chance(0.5)) asm.storeImm(field.size, ctx, field.off - base, g.imm());
  else asm.store(field.size, ctx, field.off - base, g.scalarReg());
  return true;
}

/** ctx += constant */
function shift(g: Generator): boolean {
  const ctx = context(g);
  if (ctx === undefined) return false;
  const value = g.value(ctx);
  const dst = g.freeReg([ctx]);
  g.asm.mov(dst, ctx);
  if (value.kind !== 'ctx') return true;
  const by = g.mistake() ? g.imm() : 4 * g.rng.between(0, 8);
  g.asm.aluImm(0, dst, by);
  g.set(dst, { ...value, off: value.off + by });
  return true;
}

/** Compares a packet pointer with the end of the packet, so that bytes before it may be accessed. */
function checkPacket(g: Generator): boolean {
  const { rng, asm, state } = g;
  const kinds = new Set(g.kind.fields.map((f) => baseType(f.regType)));
  if (!kinds.has(REG.PACKET)) return false;
  const meta = kinds.has(REG.PACKET_META) && rng.chance(0.15);
  let start = g.findReg((v) => v.kind === (meta ? 'meta' : 'packet'));
  let end = g.findReg((v) => v.kind === (meta ? 'packet' : 'packet_end') && (v.kind !== 'packet' || v.id === 0));
  const ctx = context(g);
  const fetch = (wanted: number, avoid: number[]): number | undefined => {
    const field = g.kind.fields.find((f) => f.access === 'read' && baseType(f.regType) === wanted);
    if (field === undefined || ctx === undefined || g.value(ctx).kind !== 'ctx') return undefined;
    const dst = g.freeReg([ctx, ...avoid]);
    const value = g.value(ctx);
    asm.load(field.size, dst, ctx, field.off - (value.kind === 'ctx' ? value.off : 0));
    g.set(dst, fieldValue(g, field));
    return dst;
  };
  start ??= fetch(meta ? REG.PACKET_META : REG.PACKET, []);
  if (start === undefined) return false;
  end ??= fetch(meta ? REG.PACKET : REG.PACKET_END, [start]);
  if (end === undefined) return true;
  const value = g.value(start);
  if (value.kind !== 'packet' && value.kind !== 'meta') return true;
  const probe = g.freeReg([start, end]);
  if (probe === start || probe === end) return true;
  const bytes = rng.pick([1, 2, 4, 8, 14, 14, 16, 20, 34, 40, 54]);
  asm.mov(probe, start);
  asm.aluImm(0, probe, bytes);
  g.set(probe, { ...value, off: value.off + bytes });
  const range = value.off + bytes;
  const enough = asm.label();
  const form = rng.below(4);
  const [op, a, b] = [
    [JMP.JLE, probe, end],
    [JMP.JGE, end, probe],
    [rng.chance(0.9) ? JMP.JLT : JMP.JGT, probe, end],
    [JMP.JGT, end, probe],
  ][form];
  asm.jumpReg(op, a, b, enough);
  g.leave();
  asm.place(enough);
  state.packetRange.set(value.id, Math.max(state.packetRange.get(value.id) ?? 0, range));
  return true;
}

export const CONTEXT_ACTIONS: readonly Action[] = [
  { weight: 6, run: read },
  { weight: 3, run: readPointer },
  { weight: 3, run: write },
  { weight: 0.5, run: shift },
  { weight: 3, run: checkPacket },
];
