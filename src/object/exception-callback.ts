// Exception callbacks: a BTF tag on a program names the global function that handles what it throws.
import { BTF_KIND, LINKAGE } from '../btf/kinds.ts';
import { ObjectError } from './errors.ts';
import type { LoadState, ProgramState } from './load-state.ts';

const PREFIX = 'exception_callback:';

/** Notes which function handles the exceptions of a program. Throws ObjectError. Rule: libbpf 1.8. */
export function findExceptionCallback(state: LoadState, program: ProgramState): void {
  const { messages, features, programs } = state;
  const { btf } = state.spec;
  if (!btf || !features.supports('BTF_DECL_TAG')) return;
  const { name } = program.spec;
  const refuse: (text: string, errno?: 'EINVAL' | 'ENOENT') => never = (text, errno = 'EINVAL') => {
    messages.warn(`prog '${name}': ${text}`);
    throw new ObjectError(errno);
  };
  for (let id = 1; id < btf.count; id++) {
    if (btf.kind(id) !== BTF_KIND.DECL_TAG || btf.tagComponent(id) !== -1) continue;
    const tag = btf.name(id);
    if (!tag.startsWith(PREFIX)) continue;
    const func = btf.type(id);
    if (btf.kind(func) !== BTF_KIND.FUNC || btf.linkage(func) !== LINKAGE.GLOBAL) {
      refuse('exception_callback:<value> decl tag not applied to the main program');
    }
    if (btf.name(func) !== name) continue;
    // Two callbacks: the verifier will say so.
    if (program.exceptionCallback >= 0) {
      program.exceptionCallback = -1;
      break;
    }
    const callback = tag.slice(PREFIX.length);
    if (callback === '') refuse('exception_callback:<value> decl tag contains empty value');
    const index = programs.findIndex((p) => p.spec.subprogram && p.spec.name === callback);
    if (index < 0) refuse(`cannot find exception callback '${callback}'`, 'ENOENT');
    const found = programs[index].spec;
    if (!found.global || found.markStatic) {
      refuse(`exception callback ${found.name} must be a global non-hidden function`);
    }
    program.exceptionCallback = index;
  }
}
