// The maps and the BTF of a world in one kernel, and programs that refer to them by descriptor.
import { SysError } from '../../src/errno.ts';
import { type Insn, LDIMM64 } from '../../src/isa/insn.ts';
import { CALL_KIND, PSEUDO } from '../../src/isa/opcode.ts';
import { MAP_TYPE, type MapTypeName } from '../../src/isa/uapi.ts';
import type { Kernel } from '../../src/syscall.ts';
import { BTF_FD, type FuzzProgram, VMLINUX_FD, type World } from './program.ts';

/** The first program that uses one of these decides who else may. */
const OWNED: ReadonlySet<MapTypeName> = new Set(['prog_array', 'devmap', 'devmap_hash', 'cpumap']);
/** A descriptor that no process has. */
const NO_FD = 100_000;
const CALL = 0x85;

export class Descriptors {
  private readonly kernel: Kernel;
  private readonly world: World;
  /** By index, once a program has asked for it. */
  private readonly fds: (number | undefined)[] = [];
  readonly btf: number;
  private vmlinux = 0;
  private readonly fresh: number[] = [];

  /** Throws SysError where the kernel does not take the BTF. */
  constructor(kernel: Kernel, world: World) {
    this.kernel = kernel;
    this.world = world;
    this.btf = world.btf ? kernel.btfLoad({ bytes: world.btf }) : 0;
  }

  private create(index: number): number {
    const map = this.world.maps[index];
    const { kernel } = this;
    const typed = Boolean(map.keyBtf || map.valueBtf);
    const fd = kernel.mapCreate({
      type: MAP_TYPE[map.type],
      keySize: map.key ?? 0,
      valueSize: map.value ?? 0,
      maxEntries: map.max ?? 0,
      flags: map.flags ?? 0,
      mapExtra: BigInt(map.extra ?? 0),
      name: map.name ?? '',
      ...(map.inner === undefined ? {} : { innerMapFd: this.kept(map.inner) }),
      ...(typed ? { btfFd: this.btf, btfKeyTypeId: map.keyBtf ?? 0, btfValueTypeId: map.valueBtf ?? 0 } : {}),
    });
    if (map.data !== undefined) kernel.mapUpdate(fd, new Uint8Array(map.key ?? 4), Buffer.from(map.data, 'hex'));
    if (map.frozen) kernel.mapFreeze(fd);
    return fd;
  }

  private kept(index: number): number {
    const fd = this.fds[index] ?? this.create(index);
    this.fds[index] = fd;
    return fd;
  }

  /** Descriptor of the map with that index for one program. */
  private map(index: number, chosen: Map<number, number>): number {
    const map = this.world.maps[index];
    if (map === undefined) return NO_FD;
    let fd = chosen.get(index);
    if (fd === undefined) {
      fd = OWNED.has(map.type) ? this.create(index) : this.kept(index);
      if (OWNED.has(map.type)) this.fresh.push(fd);
      chosen.set(index, fd);
    }
    return fd;
  }

  /** Changes the instructions to name this kernel's descriptors; gives the fd_array. Throws where a map is not taken. */
  resolve(program: FuzzProgram, insns: Insn[]): number[] | undefined {
    const chosen = new Map<number, number>();
    const array = program.fdArray?.map((n) => {
      if (n === BTF_FD) return this.btf;
      if (n === VMLINUX_FD) return this.kernelBtf();
      return this.map(n - 1, chosen);
    });
    for (let i = 0; i < insns.length; i++) {
      const x = insns[i];
      const next = insns[i + 1];
      if (x.code === CALL && x.src === CALL_KIND.KFUNC && array && x.off >= array.length) x.off = 0;
      if (x.code !== LDIMM64) continue;
      if (x.src === PSEUDO.MAP_FD || x.src === PSEUDO.MAP_VALUE) x.imm = this.map(x.imm - 1, chosen);
      else if (x.src === PSEUDO.BTF_ID && next !== undefined && next.imm !== 0) next.imm = NO_FD;
      else if ((x.src === PSEUDO.MAP_IDX || x.src === PSEUDO.MAP_IDX_VALUE) && array && !(x.imm in array)) x.imm = 0;
      i++;
    }
    return array;
  }

  private kernelBtf(): number {
    this.vmlinux ||= this.kernel.fdById('btf', 1);
    return this.vmlinux;
  }

  /** Drops what was made for one program. */
  endProgram(): void {
    for (const fd of this.fresh.splice(0)) this.kernel.close(fd);
  }

  close(): void {
    this.endProgram();
    for (const fd of [...this.fds, this.btf, this.vmlinux]) {
      if (fd === undefined || fd === 0) continue;
      try {
        this.kernel.close(fd);
      } catch (e) {
        if (!(e instanceof SysError)) throw e;
      }
    }
  }
}
