// Random command lines about objects in one folder of the bpf file system: mostly sensible ones, some with a word lost,
// repeated, cut or replaced.
import type { Random } from '../random.ts';

/** Objects that load everywhere, with maps of many types. */
const OBJECTS = [
  'map_hash',
  'map_array',
  'map_percpu_array',
  'map_lru_hash',
  'map_in_map',
  'map_others',
  'globals',
  'ringbuf',
  'tail_call',
  'timer',
  'xdp_parse',
  'subprog_static',
  'spin_lock',
  'reject_basics',
  'externs',
];
/** Types, and sizes of keys and values that they take. */
const MAPS: readonly (readonly [type: string, key: readonly number[], value: readonly number[]])[] = [
  ['hash', [4], [4, 8, 20]],
  ['array', [4], [1, 4, 24]],
  ['percpu_hash', [4], [4, 8]],
  ['percpu_array', [4], [8, 12]],
  ['lru_hash', [4], [8]],
  ['lpm_trie', [8], [4]],
  ['queue', [0], [4, 8]],
  ['stack', [0], [4]],
  ['bloom_filter', [0], [4]],
  ['prog_array', [4], [4]],
  ['array_of_maps', [4], [4]],
  ['hash_of_maps', [4], [4]],
  ['perf_event_array', [4], [4]],
  ['cgroup_array', [4], [4]],
  ['stack_trace', [4], [8]],
  ['devmap', [4], [4, 8]],
  ['cpumap', [4], [4, 8]],
  ['xskmap', [4], [4]],
  ['sockhash', [4], [4]],
  ['ringbuf', [0], [0]],
];
const MAP_NAMES = ['a', 'b', 'c', 'd'];
const PROG_NAMES = ['p', 'q'];
const ODD_WORDS = ['', '0', '-1', '4294967296', '0x10', '010', 'zz', 'pinned', 'key', 'value', 'id', 'all', 'hex', '1'];
const OPTIONS = ['-j', '-p', '-jp', '-f', '-d', '--json', '--pretty', '-n', '-m'];

export class RandomLines {
  private readonly random: Random;
  private readonly folder: string;
  /** Sizes of the maps that were asked for, by name; wrong where that failed. */
  private readonly sizes = new Map<string, readonly [type: string, key: number, value: number]>();

  constructor(random: Random, folder: string) {
    this.random = random;
    this.folder = folder;
  }

  private one<T>(list: readonly T[]): T {
    return list[this.random.below(list.length)];
  }

  private chance(percent: number): boolean {
    return this.random.below(100) < percent;
  }

  private bytes(count: number, small: boolean): string[] {
    const hex = this.chance(20);
    const values = Array.from({ length: count }, (_, i) =>
      small ? (i === 0 ? this.random.below(2) : 0) : this.random.below(256),
    );
    return [...(hex ? ['hex'] : []), ...values.map((n) => n.toString(hex ? 16 : 10))];
  }

  private mapPath(name = this.one(MAP_NAMES)): string {
    return `${this.folder}/${name}`;
  }

  private mapRef(name?: string): string[] {
    return ['pinned', this.mapPath(name)];
  }

  private progRef(): string[] {
    return ['pinned', `${this.folder}/${this.one(PROG_NAMES)}`];
  }

  private create(): string[] {
    const [type, keys, values] = this.one(MAPS);
    const name = this.one(MAP_NAMES);
    const key = this.one(keys);
    const value = this.one(values);
    if (!this.sizes.has(name)) this.sizes.set(name, [type, key, value]);
    const entries = type === 'ringbuf' ? 4096 : 1 + this.random.below(3);
    const flags =
      type === 'lpm_trie' || type === 'hash'
        ? this.one([
            ['flags', '1'],
            ['flags', '0x80'],
          ])
        : [];
    const inner = type.includes('of_maps') ? ['inner_map', ...this.mapRef()] : [];
    const sized = ['key', `${key}`, 'value', `${value}`, 'entries', `${entries}`];
    return ['map', 'create', this.mapPath(name), 'type', type, ...sized, 'name', name, ...flags, ...inner];
  }

  /** A command about the elements of a map. */
  private element(): string[] {
    const name = this.one(MAP_NAMES);
    const [type, key, value] = this.sizes.get(name) ?? ['hash', 4, 4];
    // A hash map walks its elements in an order of its own: it never gets more than one.
    const isHashed = /hash|lpm|storage/.test(type);
    const keyBytes =
      key === 8
        ? ['key', '32', '0', '0', '0', '10', '0', '0', '1']
        : ['key', ...(isHashed ? ['1', '0', '0', '0'] : this.bytes(key, true))];
    const ofKey = key ? keyBytes : [];
    const valueWords =
      type === 'prog_array' ? this.progRef() : type.includes('of_maps') ? this.mapRef() : this.bytes(value, false);
    const map = this.mapRef(name);
    // Their values are shown as ids.
    const holdsObjects = type === 'prog_array' || type.includes('of_maps');
    const reads = holdsObjects
      ? []
      : [
          ['map', 'lookup', ...map, ...ofKey],
          ['map', 'dump', ...map],
        ];
    const flag = this.chance(25) ? [this.one(['any', 'noexist', 'exist'])] : [];
    return this.one([
      ['map', 'update', ...map, ...ofKey, 'value', ...valueWords, ...flag],
      ['map', 'update', ...map, ...ofKey, 'value', ...valueWords],
      ...reads,
      ['map', 'delete', ...map, ...ofKey],
      ['map', 'getnext', ...map, ...(this.chance(50) ? ofKey : [])],
      ['map', this.one(['push', 'enqueue']), ...map, 'value', ...valueWords],
      ['map', this.one(['peek', 'pop', 'dequeue']), ...map],
    ]);
  }

  private program(): string[] {
    const prog = this.progRef();
    const object = `${this.one(OBJECTS)}.bpf.o`;
    const path = `${this.folder}/${this.one(PROG_NAMES)}`;
    const maps = this.chance(30) ? ['pinmaps', this.folder] : [];
    return this.one([
      ['prog', 'load', object, path],
      ['prog', 'load', object, path, ...maps],
      ['prog', 'load', object, path, 'type', this.one(['xdp', 'classifier', 'kprobe/x', 'socket'])],
      [
        'prog',
        'load',
        object,
        path,
        'map',
        this.one([
          ['idx', '0'],
          ['name', 'counts'],
        ]).join(' '),
        ...this.mapRef(),
      ],
      ['prog', 'loadall', object, `${this.folder}/all`, ...maps],
      ['prog', 'show', ...prog],
      ['prog', 'dump', 'xlated', ...prog, ...this.some(['opcodes', 'linum'])],
      ['prog', 'dump', 'xlated', ...prog, 'visual'],
      ['prog', 'dump', 'jited', ...prog, ...this.some(['opcodes', 'linum'])],
      ['prog', 'pin', ...prog, `${this.folder}/${this.one(PROG_NAMES)}`],
      ['btf', 'dump', 'prog', ...prog, ...this.some(['format c', 'format raw'])],
    ]);
  }

  private other(): string[] {
    const object = `${this.one(OBJECTS)}.bpf.o`;
    return this.one([
      ['map', 'show', ...this.mapRef()],
      ['map', 'freeze', ...this.mapRef()],
      ['map', 'pin', ...this.mapRef(), this.mapPath()],
      ['btf', 'dump', 'map', ...this.mapRef(), ...this.some(['key', 'value', 'kv', 'all'])],
      ['btf', 'dump', 'file', object, ...this.some(['format c', 'format raw', 'root_id 1', 'unsorted'])],
      [
        'btf',
        'dump',
        'file',
        object,
        'root_id',
        `${this.random.below(60)}`,
        'format',
        this.one(['c', 'raw', 'c unsorted']),
      ],
      ['btf', 'dump', 'file', object, 'format', 'c', 'root_id', `${this.random.below(9)}`, 'root_id', '2'],
      ['btf', 'dump', 'file', object, 'file', `${this.one(OBJECTS)}.bpf.o`],
      ['gen', this.one(['skeleton', 'subskeleton']), '/nonexistent/x.o', ...this.some(['name x', 'bogus'])],
      ['feature', 'list_builtins', this.one(['prog_types', 'map_types', 'attach_types', 'link_types', 'helpers'])],
      [this.one(['prog', 'map', 'btf', 'gen', 'feature', 'batch']), this.one(['help', 'bogus', 'd', 'create', 'pin'])],
    ]);
  }

  /** At most one of them, most often none. */
  private some(list: readonly string[]): string[] {
    return this.chance(50) ? this.one(list).split(' ') : [];
  }

  /** Spoils a word of every fifth line. */
  private spoil(words: string[]): void {
    if (!this.chance(20)) return;
    const at = this.random.below(words.length);
    // The real tool would mount a file system where a path ends too early.
    if (words[at].startsWith('/')) return;
    switch (this.random.below(5)) {
      case 0:
        words.splice(at, 1);
        break;
      case 1:
        words.splice(at, 0, words[at]);
        break;
      case 2:
        words[at] = words[at].slice(0, 1 + this.random.below(Math.max(1, words[at].length)));
        break;
      case 3:
        words[at] = this.one(ODD_WORDS);
        break;
      default:
        words.splice(at, 0, this.one(ODD_WORDS));
    }
  }

  next(): string[] {
    const words = this.line();
    // Listings of everything hold what is of others.
    const isListing = words.length < 3 && /^(|s|sh|sho|show|l|li|lis|list)$/.test(words[1] ?? '');
    return isListing ? this.next() : this.withOption(words);
  }

  /** With -d, the real tool tells of the program that it looks for owners with. */
  private withOption(words: string[]): string[] {
    if (!this.chance(35)) return words;
    const option = this.one(OPTIONS);
    return option === '-d' && words[1]?.startsWith('s') ? words : [option, ...words];
  }

  private line(): string[] {
    const kind = this.random.below(10);
    const words = kind < 2 ? this.create() : kind < 6 ? this.element() : kind < 8 ? this.program() : this.other();
    this.spoil(words);
    return words;
  }
}
