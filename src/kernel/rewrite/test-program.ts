// Programs for tests of single passes: they come with a kernel image and with notes as the verifier would have left them.
import { encodeInsns, type Insn } from '../../isa/insn.ts';
import { PROG_TYPE, type ProgTypeName } from '../../isa/uapi.ts';
import type { KernelImage } from '../image/image.ts';
import { loadImage } from '../image/load.ts';
import { VerifierEnv } from '../verifier/env.ts';
import { VerifierLog } from '../verifier/log.ts';
import { testRequest } from '../verifier/test-request.ts';
import { SubprogInfo } from '../verifier/types.ts';

export interface TestProgram {
  insns: Insn[];
  type?: ProgTypeName;
  attachType?: number;
  /** prog_flags of the load. */
  flags?: number;
  /** Where functions begin; one at 0 unless given. */
  starts?: number[];
  /** Instructions with a line record. */
  lines?: number[];
  /** Instructions that no path reaches. */
  unseen?: number[];
}

let image: KernelImage | undefined;

export function testProgram(program: TestProgram): VerifierEnv {
  image ??= loadImage();
  const env = new VerifierEnv(
    testRequest({
      image,
      type: PROG_TYPE[program.type ?? 'socket_filter'],
      expectedAttachType: program.attachType ?? 0,
      flags: program.flags ?? 0,
      insns: program.insns,
      log: new VerifierLog(1, 1 << 16),
    }),
  );
  env.subprogs = (program.starts ?? [0]).map((start) => new SubprogInfo(start));
  env.lineInfo = (program.lines ?? []).map((insnOff, k) => ({ insnOff, fileNameOff: 1, lineOff: 1, lineCol: k + 1 }));
  env.aux.forEach((aux, i) => {
    aux.seen = program.unseen?.includes(i) ? 0 : 1;
  });
  return env;
}

/** 16 digits an instruction. */
export const hexInsns = (insns: readonly Insn[]): string[] =>
  Buffer.from(encodeInsns(insns)).toString('hex').match(/.{16}/g) ?? [];
