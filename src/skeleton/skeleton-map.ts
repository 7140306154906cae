// A map of a skeleton: keys and values as the types that the object's BTF gives them.
import type { Btf } from '../btf/btf.ts';
import { isErrno } from '../errno.ts';
import { MAP_TYPE } from '../isa/uapi.ts';
import type { MapSpec } from '../object/spec.ts';
import { SkeletonPart } from './part.ts';
import { decodeValue, encodeValue } from './value-view.ts';

const PER_CPU: ReadonlySet<number> = new Set([
  MAP_TYPE.percpu_hash,
  MAP_TYPE.percpu_array,
  MAP_TYPE.lru_percpu_hash,
  MAP_TYPE.percpu_cgroup_storage,
]);

/** What a skeleton must know of a map. */
export type MapShape = Pick<MapSpec, 'name' | 'type' | 'keySize' | 'valueSize' | 'btfKeyTypeId' | 'btfValueTypeId'>;

/** `K` and `V` are Uint8Array where the map has no BTF for them; on per-CPU maps `V` is an array with a value a CPU. */
export class SkeletonMap<K, V> extends SkeletonPart {
  protected readonly kind = 'map';
  readonly spec: MapShape;
  private readonly btf: Btf | undefined;

  constructor(spec: MapShape, btf: Btf | undefined) {
    super();
    this.spec = spec;
    this.btf = btf;
  }

  get name(): string {
    return this.spec.name;
  }

  private encode(type: number, size: number, value: unknown): Uint8Array {
    return this.btf && type ? encodeValue(this.btf, type, size, value) : (value as Uint8Array);
  }

  private decode(type: number, bytes: Uint8Array): unknown {
    return this.btf && type ? decodeValue(this.btf, type, bytes) : bytes;
  }

  private key(key: K): Uint8Array {
    return this.encode(this.spec.btfKeyTypeId, this.spec.keySize, key);
  }

  private valueFrom(bytes: Uint8Array): V {
    const { btfValueTypeId, valueSize, type } = this.spec;
    if (!PER_CPU.has(type)) return this.decode(btfValueTypeId, bytes) as V;
    const step = Math.ceil(valueSize / 8) * 8;
    const values: unknown[] = [];
    for (let i = 0; i < bytes.length; i += step)
      values.push(this.decode(btfValueTypeId, bytes.subarray(i, i + valueSize)));
    return values as V;
  }

  private bytesOf(value: V): Uint8Array {
    const { btfValueTypeId, valueSize, type } = this.spec;
    if (!PER_CPU.has(type)) return this.encode(btfValueTypeId, valueSize, value);
    const step = Math.ceil(valueSize / 8) * 8;
    const bytes = new Uint8Array(step * this.at.kernel.possibleCpus);
    (value as unknown[]).forEach((v, i) => {
      bytes.set(this.encode(btfValueTypeId, valueSize, v), i * step);
    });
    return bytes;
  }

  /** The value of a key; undefined where there is none. */
  lookup(key: K): V | undefined {
    const { kernel, fd } = this.at;
    try {
      return this.valueFrom(kernel.mapLookup(fd, this.key(key)));
    } catch (e) {
      if (isErrno(e, 'ENOENT')) return undefined;
      throw e;
    }
  }

  /** Flags: 0 any, 1 only a new key, 2 only an existing one. */
  update(key: K, value: V, flags = 0n): void {
    const { kernel, fd } = this.at;
    kernel.mapUpdate(fd, this.key(key), this.bytesOf(value), flags);
  }

  /** False where there was no such key. */
  delete(key: K): boolean {
    const { kernel, fd } = this.at;
    try {
      kernel.mapDelete(fd, this.key(key));
      return true;
    } catch (e) {
      if (isErrno(e, 'ENOENT')) return false;
      throw e;
    }
  }

  *keys(): Generator<K> {
    const { kernel, fd } = this.at;
    for (let key: Uint8Array | undefined; ; ) {
      try {
        key = kernel.mapNextKey(fd, key);
      } catch (e) {
        if (isErrno(e, 'ENOENT')) return;
        throw e;
      }
      yield this.decode(this.spec.btfKeyTypeId, key) as K;
    }
  }

  *entries(): Generator<[K, V]> {
    for (const key of this.keys()) {
      const value = this.lookup(key);
      if (value !== undefined) yield [key, value];
    }
  }
}
