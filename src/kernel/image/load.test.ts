import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type DataSource, findImageFolder, folderSource, MANIFEST_FILE, setDefaultDataSource } from './data-source.ts';
import { IMAGE_FILES, ImageError, loadImage } from './load.ts';

const folder = findImageFolder() ?? '';
const files = folderSource(folder);

/** The shipped image, with a list of the files that were read. */
function watched(): { source: DataSource; read: string[] } {
  const read: string[] = [];
  const source: DataSource = (file) => {
    read.push(file);
    return files(file);
  };
  return { source, read };
}

describe('the shipped image', () => {
  const image = loadImage();

  test('tells the release and the size of a map without reading BTF or symbols', () => {
    const { source, read } = watched();
    const lazy = loadImage(source);
    expect(lazy.release).toMatch(/^6\.18\./);
    expect(lazy.sizeOf('bpf_htab')).toBe(832);
    expect(lazy.sysctl('kernel/unprivileged_bpf_disabled')).toBe('2');
    expect(read).toEqual([MANIFEST_FILE]);
  });

  test('notes sizes and offsets that are those of its BTF', () => {
    const fresh = loadImage((file) => {
      if (file !== MANIFEST_FILE) return files(file);
      const manifest = JSON.parse(Buffer.from(files(file) as Uint8Array).toString());
      return Buffer.from(JSON.stringify({ ...manifest, sizes: {}, offsets: {} }));
    });
    const manifest = JSON.parse(Buffer.from(files(MANIFEST_FILE) as Uint8Array).toString());
    for (const [name, size] of Object.entries(manifest.sizes)) expect(fresh.sizeOf(name), name).toBe(size);
    for (const [path, offset] of Object.entries(manifest.offsets)) {
      const [struct, member] = path.split('.');
      expect(fresh.offsetOf(struct, member), path).toBe(offset);
    }
  });

  test('finds functions by name and by address, and the few data symbols', () => {
    const address = image.symbolAddress('bpf_ktime_get_ns') ?? 0n;
    expect(address >> 32n).toBe(0xffffffffn);
    expect(image.symbolAt(address)).toBe('bpf_ktime_get_ns');
    expect(image.symbolAddress('jiffies')).toBeDefined();
    expect(image.symbolAddress('constructor')).toBeUndefined();
    expect(image.symbolAddress('no_such_function')).toBeUndefined();
  });

  test('knows its configuration, sysctls and tracepoints', () => {
    expect(image.config('CONFIG_BPF_SYSCALL')).toBe('y');
    expect(image.config('CONFIG_HZ')).toBe(String(image.hz));
    expect(image.config('CONFIG_KALLSYMS_ALL')).toBeUndefined();
    expect(image.sysctl('net/core/bpf_jit_enable')).toBe('1');
    expect(image.sysctl('toString')).toBeUndefined();
    expect(image.tracepointId('sched/sched_switch')).toBeGreaterThan(0);
  });

  test('shows files as the kernel does', () => {
    const text = (path: string): string => Buffer.from(image.file(path) ?? []).toString();
    expect(text('/proc/sys/kernel/osrelease')).toBe(`${image.release}\n`);
    expect(text('/proc/version')).toContain(image.release);
    expect(text('/sys/devices/system/cpu/possible')).toBe(`0-${image.possibleCpus - 1}\n`);
    expect(gunzipSync(image.file('/proc/config.gz') ?? new Uint8Array()).toString()).toContain('CONFIG_BPF=y');
    expect(image.file('/sys/kernel/btf/vmlinux')?.length).toBe(image.btfBytes().length);
    expect(text('/sys/kernel/tracing/events/sched/sched_switch/id')).toMatch(/^\d+\n$/);
    expect(image.file('/proc/sys/no/such')).toBeUndefined();
    expect(image.file('/etc/passwd')).toBeUndefined();
  });

  test('has a return thunk that is one of its functions', () => {
    const { returnThunk } = image.cpu;
    if (returnThunk !== undefined) expect(image.symbolAddress(returnThunk)).toBeDefined();
  });
});

describe('an image that is not in order', () => {
  test('is refused when there is none, or no manifest worth the name', () => {
    expect(() => loadImage('/nonexistent')).toThrow(ImageError);
    expect(() => loadImage(() => Buffer.from('{'))).toThrow(ImageError);
    expect(() => loadImage(() => Buffer.from('null'))).toThrow(ImageError);
    expect(() => loadImage(() => Buffer.from('{"release":"1"}'))).toThrow(ImageError);
  });

  test('says which file is missing or damaged when it is needed', () => {
    const without = loadImage((file) => (file === MANIFEST_FILE ? files(file) : undefined));
    expect(without.release).toMatch(/^6/);
    expect(() => without.btf()).toThrow(/vmlinux\.btf\.zst is missing/);
    const broken = loadImage((file) => (file === MANIFEST_FILE ? files(file) : Buffer.from('rubbish')));
    expect(() => broken.btfBytes()).toThrow(/is damaged/);
    expect(() => broken.symbolAddress('x')).toThrow(ImageError);
    expect(() => broken.config('CONFIG_X')).toThrow(ImageError);
  });
});

test('BTF may lie there unpacked, as it does in a built package', () => {
  const plain = loadImage().btfBytes().slice();
  const built = loadImage((file) => (file === IMAGE_FILES.unpackedBtf ? plain : files(file)));
  expect(built.btfBytes()).toBe(plain);
});

describe('where images are looked for', () => {
  test('a folder data/ above the running file is found, one too far up is not', () => {
    expect(findImageFolder(undefined, `${folder}/../../elsewhere/deep/er/bundle.cjs`)).toBe(folder);
    expect(findImageFolder('no-such-image')).toBeUndefined();
    expect(findImageFolder(undefined, '/nonexistent/file.js')).toBeUndefined();
  });

  test('an executable can bring its own source', () => {
    const { source, read } = watched();
    setDefaultDataSource(source);
    try {
      expect(loadImage().release).toMatch(/^6/);
      expect(read).toEqual([MANIFEST_FILE]);
    } finally {
      setDefaultDataSource(undefined);
    }
  });
});
