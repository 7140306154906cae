// A load of instructions that come with nothing else, for tests.
import { PROG_TYPE } from '../../isa/uapi.ts';
import { ALL_CAPABILITIES } from '../objects.ts';
import type { VerifyRequest } from './env.ts';

const missing = (): never => {
  throw new Error('this test has no descriptors');
};

export const testRequest = (
  given: Pick<VerifyRequest, 'image' | 'insns' | 'log'> & Partial<VerifyRequest>,
): VerifyRequest => ({
  caps: ALL_CAPABILITIES,
  type: PROG_TYPE.socket_filter,
  expectedAttachType: 0,
  flags: 0,
  name: 'test',
  gplCompatible: true,
  btf: undefined,
  funcInfo: undefined,
  lineInfo: undefined,
  coreRelos: undefined,
  attachBtfId: 0,
  attachBtf: undefined,
  fdArray: undefined,
  fdArrayBinds: false,
  mapByFd: missing,
  btfByFd: missing,
  ...given,
});
