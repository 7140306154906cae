// Generated programs of many types (scripts/fuzz) as requests to the verifier.
import { decodeInsns, encodeInsns } from '../../src/isa/insn.ts';
import { PROG_TYPE } from '../../src/isa/uapi.ts';
import type { LoadedImage } from '../../src/kernel/image/load.ts';
import { ALL_CAPABILITIES, type Capabilities } from '../../src/kernel/objects.ts';
import type { VerifyRequest } from '../../src/kernel/verifier/env.ts';
import { Descriptors } from '../fuzz/descriptors.ts';
import { generate } from '../fuzz/generate.ts';
import { PaperKernel } from './paper-kernel.ts';

const FUNC_INFO_BYTES = 8;
const LINE_INFO_BYTES = 16;
const UNTRUSTED: Capabilities = { bpf: true, perfmon: false, netAdmin: true, sysAdmin: false };

/** What the generated program `seed` asks of the verifier. */
export function fuzzedRequest(image: LoadedImage, seed: number): VerifyRequest {
  const program = generate(seed);
  const kernel = new PaperKernel(image);
  const around = new Descriptors(kernel, program.world);
  const insns = decodeInsns(program.insns);
  const fdArray = around.resolve(program, insns);
  const records = program.funcs !== undefined || program.lines !== undefined;
  const funcs = program.funcs && new Uint8Array(Uint32Array.from(program.funcs.flat()).buffer);
  const fd = kernel.progLoad({
    type: PROG_TYPE[program.type],
    insns: encodeInsns(insns),
    license: program.license,
    flags: program.flags,
    name: 'p',
    expectedAttachType: program.attachType,
    attachBtfId: program.attachBtfId,
    ...(records ? { btfFd: around.btf } : {}),
    ...(funcs ? { funcInfo: { recSize: FUNC_INFO_BYTES, bytes: funcs } } : {}),
    ...(program.lines ? { lineInfo: { recSize: LINE_INFO_BYTES, bytes: program.lines } } : {}),
    ...(fdArray ? { fdArray, fdArrayBinds: program.fdArrayBinds ?? false } : {}),
  });
  const request = kernel.requests.get(fd) as VerifyRequest;
  return { ...request, caps: program.caps === 'all' ? ALL_CAPABILITIES : UNTRUSTED };
}
