// Externs meet the kernel: configuration values, addresses of symbols, BTF ids of variables and functions.
import { BTF_KIND } from '../btf/kinds.ts';
import { kindWord } from './btf-words.ts';
import { TypeComparison } from './core/compat.ts';
import { ObjectError } from './errors.ts';
import { ConfigValues, kernelVersion } from './kconfig.ts';
import type { ModuleBtf } from './kernel-btf.ts';
import type { ExternState, LoadState } from './load-state.ts';

/** Most descriptors that a 16-bit offset can tell apart. */
const MAX_FD_INDEX = 0x7fff;

/** Fills in every extern, and the contents of the map .kconfig. Throws ObjectError. Rule: libbpf 1.8. */
export function resolveExterns(state: LoadState): void {
  const { externs, messages } = state;
  if (externs.length === 0) return;
  const map = state.maps.find((m) => m.spec.kind === 'kconfig');
  const values = new ConfigValues(state, map?.valueSize ?? 0);
  if (map) map.value = values.bytes;
  let config = false;
  let typeless = false;
  let typed = false;
  for (const extern of externs) {
    if (extern.spec.kind === 'ksym') {
      if (extern.spec.typeId) typed = true;
      else typeless = true;
    } else if (extern.spec.name.startsWith('CONFIG_')) {
      config = true;
    } else {
      setVirtual(state, values, extern);
    }
  }
  if (config) asInvalid(() => values.readConfig());
  if (typeless) asInvalid(() => readAddresses(state));
  if (typed) {
    asInvalid(() => {
      for (const extern of externs) {
        if (extern.spec.kind !== 'ksym' || !extern.spec.typeId) continue;
        if (state.loader) extern.resolved = true;
        else if (extern.spec.func) resolveFunction(state, extern);
        else resolveVariable(state, extern);
      }
    });
  }
  for (const { spec, resolved } of externs) {
    if (resolved) continue;
    if (!spec.weak) {
      messages.warn(`extern '${spec.name}' (strong): not resolved`);
      throw new ObjectError('ESRCH');
    }
    messages.debug(() => `extern '${spec.name}' (weak): not resolved, defaulting to zero`);
  }
}

/** Whatever the reason, the caller hears EINVAL. */
function asInvalid(run: () => void): void {
  try {
    run();
  } catch (error) {
    if (error instanceof ObjectError) throw new ObjectError('EINVAL');
    throw error;
  }
}

/** LINUX_…: values that the loader itself knows. */
function setVirtual(state: LoadState, values: ConfigValues, extern: ExternState): void {
  const { name, weak } = extern.spec;
  const { messages, features, kernel } = state;
  let value = 0n;
  if (name === 'LINUX_KERNEL_VERSION') {
    value = BigInt(kernelVersion(kernel));
    if (value === 0n) {
      messages.warn(`extern (kcfg) '${name}': failed to get kernel version`);
      throw new ObjectError('EINVAL');
    }
  } else if (name === 'LINUX_HAS_BPF_COOKIE') {
    value = BigInt(features.supports('BPF_COOKIE'));
  } else if (name === 'LINUX_HAS_SYSCALL_WRAPPER') {
    value = BigInt(features.supports('SYSCALL_WRAPPER'));
  } else if (!name.startsWith('LINUX_') || !weak) {
    messages.warn(`extern (kcfg) '${name}': unrecognized virtual extern`);
    throw new ObjectError('EINVAL');
  }
  values.setNumber(extern, value);
  messages.debug(() => `extern (kcfg) '${name}': set to 0x${value.toString(16)}`);
}

/** Typeless symbols, from /proc/kallsyms or, where the kernel shows no such file, one by one. */
function readAddresses(state: LoadState): void {
  const { kernel, messages, externs } = state;
  const wanted = new Map<string, ExternState>();
  for (const extern of externs) if (!wanted.has(extern.spec.name)) wanted.set(extern.spec.name, extern);
  const set = (extern: ExternState | undefined, name: string, address: bigint): void => {
    if (extern?.spec.kind !== 'ksym' || extern.spec.func) return;
    if (extern.resolved && extern.address !== address) {
      messages.warn(
        `extern (ksym) '${name}': resolution is ambiguous: ` +
          `0x${extern.address.toString(16)} or 0x${address.toString(16)}`,
      );
      throw new ObjectError('EINVAL');
    }
    if (extern.resolved) return;
    extern.resolved = true;
    extern.address = address;
    messages.debug(() => `extern (ksym) '${name}': set to 0x${address.toString(16)}`);
  };
  const bytes = kernel.readFile('/proc/kallsyms');
  if (bytes) {
    for (const line of new TextDecoder().decode(bytes).split('\n')) {
      const [address, type, name] = line.split(/\s+/, 3);
      if (name === undefined || !/^[0-9a-fA-F]+$/.test(address)) continue;
      const clone = type === 'd' ? name.indexOf('.llvm.') : -1;
      set(wanted.get(clone < 0 ? name : name.slice(0, clone)), name, BigInt(`0x${address}`));
    }
    return;
  }
  for (const [name, extern] of wanted) {
    const address = kernel.symbolAddress(name);
    if (address !== undefined) set(extern, name, address);
  }
}

function resolveVariable(state: LoadState, extern: ExternState): void {
  const { messages, kernelBtf, spec: object } = state;
  const { name, weak, typeId } = extern.spec;
  const found = kernelBtf.find(name, BTF_KIND.VAR);
  if (!found || !object.btf) {
    if (weak) return;
    messages.warn(`extern (var ksym) '${name}': not found in kernel BTF`);
    throw new ObjectError('ESRCH');
  }
  const { btf, id, module } = found;
  const targetType = btf.skipModsAndTypedefs(btf.type(id));
  if (new TypeComparison(object.btf, btf, messages).compatible(typeId, targetType) <= 0) {
    messages.warn(
      `extern (var ksym) '${name}': incompatible types, expected [${typeId}] ${kindWord(object.btf, typeId)} ` +
        `${object.btf.name(typeId)}, but kernel has [${targetType}] ${kindWord(btf, targetType)} ${btf.name(targetType)}`,
    );
    throw new ObjectError('EINVAL');
  }
  extern.resolved = true;
  extern.btfObjFd = module?.fd ?? 0;
  extern.btfId = id;
  messages.debug(() => `extern (var ksym) '${name}': resolved to [${id}] ${kindWord(btf, id)} ${btf.name(id)}`);
}

function resolveFunction(state: LoadState, extern: ExternState): void {
  const { messages, kernelBtf, spec: object } = state;
  const { name, essentialName, weak, typeId } = extern.spec;
  const found = kernelBtf.find(essentialName ?? name, BTF_KIND.FUNC);
  if (!found || !object.btf) {
    if (weak) return;
    messages.warn(`extern (func ksym) '${name}': not found in kernel or module BTFs`);
    throw new ObjectError('ESRCH');
  }
  const { btf, id, module } = found;
  const proto = btf.type(id);
  const owner = module?.name ?? 'vmlinux';
  if (new TypeComparison(object.btf, btf, messages).compatible(typeId, proto) <= 0) {
    if (weak) return;
    messages.warn(`extern (func ksym) '${name}': func_proto [${typeId}] incompatible with ${owner} [${proto}]`);
    throw new ObjectError('EINVAL');
  }
  if (module) addToFdArray(state, name, module);
  extern.resolved = true;
  extern.btfId = id;
  extern.fdIndex = module?.fdArrayIndex ?? 0;
  extern.btfObjFd = module?.fd ?? 0;
  messages.debug(() => `extern (func ksym) '${name}': resolved to ${owner} [${id}]`);
}

function addToFdArray(state: LoadState, name: string, module: ModuleBtf): void {
  const { fdArray, messages } = state;
  if (module.fdArrayIndex) return;
  if (fdArray.length === MAX_FD_INDEX) {
    messages.warn(
      `extern (func ksym) '${name}': module BTF fd index ${module.fdArrayIndex} too big to fit in bpf_insn offset`,
    );
    throw new ObjectError('E2BIG');
  }
  if (fdArray.length === 0) fdArray.push(0);
  module.fdArrayIndex = fdArray.length;
  fdArray.push(module.fd);
}
