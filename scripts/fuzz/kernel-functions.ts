// Functions and variables of the kernel by name, from the image's BTF.
import { BTF_KIND } from '../../src/btf/kinds.ts';
import { loadImage } from '../../src/kernel/image/load.ts';

export const kernelBtf = loadImage().btf();

const functions = new Map<string, number>();

/** BTF id of a kernel function; 0 where there is none. */
export function kernelFunction(name: string): number {
  let id = functions.get(name);
  if (id === undefined) {
    id = kernelBtf.find(name, BTF_KIND.FUNC);
    functions.set(name, id);
  }
  return id;
}

let variables: number[] | undefined;

/** BTF ids of some variables that every CPU has its own of. */
export function perCpuVariables(): readonly number[] {
  if (variables === undefined) {
    const section = kernelBtf.find('.data..percpu', BTF_KIND.DATASEC);
    const count = section === 0 ? 0 : kernelBtf.vlen(section);
    const named = ['bpf_prog_active', 'runqueues', 'cpu_number', 'process_counts']
      .map((name) => kernelBtf.find(name, BTF_KIND.VAR))
      .filter((id) => id !== 0);
    const others = [1, 7, 50, 100, 200].filter((i) => i < count).map((i) => kernelBtf.secType(section, i));
    variables = [...named, ...others];
  }
  return variables;
}
