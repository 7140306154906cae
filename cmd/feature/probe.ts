// bpftool feature probe
import { gunzipSync } from 'node:zlib';
import { HELPERS, MAP_TYPES, PROG_TYPES, type ProgTypeName } from '../../src/isa/uapi.ts';
import { CliError, type CommandContext } from '../command.ts';
import { isPrefix, needWords } from '../words.ts';
import {
  CONFIG_OPTIONS,
  helperMacroComment,
  MACRO_CONFIG_OPTION,
  SECTIONS,
  type SectionName,
  SYSCTLS,
} from './texts.ts';
import { haveHelper, haveMapType, haveMisc, haveProgType, haveSyscall, MISC } from './try.ts';

/** Helpers that write to the kernel's log when probed: only with `full`. */
const NOISY: ReadonlySet<string> = new Set(['trace_printk', 'trace_vprintk', 'probe_write_user']);

/** Prefix of macros; undefined in plain and JSON mode. */
interface ProbeOptions {
  full: boolean;
  unprivileged: boolean;
  macros: string | undefined;
}

function parseOptions(words: string[]): ProbeOptions {
  const o: ProbeOptions = { full: false, unprivileged: false, macros: undefined };
  let component = false;
  let macros = false;
  const once = (): void => {
    if (component) throw new CliError('component to probe already specified');
    component = true;
  };
  while (words.length > 0) {
    const word = words.shift() as string;
    if (isPrefix(word, 'kernel')) once();
    else if (isPrefix(word, 'dev')) {
      once();
      needWords(words, 1, word);
      throw new CliError(`unrecognized netdevice '${words[0]}': No such device`);
    } else if (isPrefix(word, 'full')) o.full = true;
    else if (isPrefix(word, 'macros') && !macros) {
      macros = true;
      o.macros = '';
    } else if (isPrefix(word, 'prefix')) {
      if (!macros) throw new CliError("'prefix' argument can only be use after 'macros'");
      if (o.macros) throw new CliError("'prefix' already defined");
      needWords(words, 1, word);
      o.macros = words.shift();
    } else if (isPrefix(word, 'unprivileged')) o.unprivileged = true;
    else {
      throw new CliError(`expected no more arguments, 'kernel', 'dev', 'macros' or 'prefix', got: '${word}'?`);
    }
  }
  return o;
}

/** One run: what it prints where, in the three forms. */
class Probe {
  private readonly context: CommandContext;
  private readonly options: ProbeOptions;
  private readonly supported = new Set<ProgTypeName>();
  /** Without capabilities nothing can be tried where the system call is for privileged users only. */
  private readonly barred: boolean;

  constructor(context: CommandContext, options: ProbeOptions) {
    this.context = context;
    this.options = context.json ? { ...options, macros: undefined } : options;
    this.barred = options.unprivileged && this.sysctl(SYSCTLS[0].path) !== 0;
  }

  private section(name: SectionName, body: () => void): void {
    const { json } = this.context;
    const [plain, comment] = SECTIONS[name];
    if (json) json.name(name).startObject();
    else this.context.out(`${this.options.macros === undefined ? plain : comment}\n`);
    body();
    if (json) json.endObject();
    else this.context.out('\n');
  }

  private line(json: string, plain: string, macro: string, have: boolean): void {
    const { macros } = this.options;
    if (this.context.json) this.context.json.field(json, have);
    else if (macros !== undefined) this.context.out(`#define ${macros}${have ? '' : 'NO_'}HAVE_${macro}\n`);
    else this.context.out(`${plain} is ${have ? '' : 'NOT '}available\n`);
  }

  private sysctl(path: string): number {
    const bytes = this.context.kernel().readFile(path);
    const text = bytes && Buffer.from(bytes).toString('latin1').split('\n')[0];
    return text !== undefined && /^-?\d+$/.test(text) ? Number(text) : -1;
  }

  /** Options that are set in the kernel's configuration; undefined where it cannot be read. */
  private config(): Map<string, string> | undefined {
    const kernel = this.context.kernel();
    const plain = kernel.readFile(`/boot/config-${kernel.release}`);
    const packed = plain ? undefined : kernel.readFile('/proc/config.gz');
    if (!plain && !packed) {
      this.context.info("skipping kernel config, can't open file: No such file or directory");
      return undefined;
    }
    const text = Buffer.from(plain ?? gunzipSync(packed as Uint8Array)).toString('latin1');
    if (text.split('\n')[1] !== '# Automatically generated file; DO NOT EDIT.') {
      this.context.info("skipping kernel config, can't find correct file");
      return undefined;
    }
    return new Map(
      [...text.matchAll(/^(CONFIG_\w+)=(.*)$/gm)].map(([, name, value]) => [name, value.replace(/^"(.*)"$/, '$1')]),
    );
  }

  private systemConfig(): void {
    const { json, out } = { json: this.context.json, out: (text: string) => this.context.out(text) };
    const { macros } = this.options;
    if (macros === undefined) {
      for (const { name, path, values, other } of SYSCTLS) {
        // The files of the JIT are for privileged readers.
        const hidden = this.barred && name !== 'unprivileged_bpf_disabled' && name !== 'bpf_jit_enable';
        const value = hidden ? -1 : this.sysctl(path);
        if (json) json.field(name, value);
        else out(`${values[value] ?? other(value)}\n`);
      }
    }
    const config = this.config();
    if (!config) return;
    for (const name of CONFIG_OPTIONS) {
      const value = config.get(name);
      if (json) json.field(name, value ?? null);
      else if (macros === undefined) out(value === undefined ? `${name} is not set\n` : `${name} is set to ${value}\n`);
      else if (name === MACRO_CONFIG_OPTION) {
        out(value === undefined ? `/* ${macros}${name} is not set */\n` : `#define ${macros}${name} ${value}\n`);
      }
    }
  }

  private programTypes(): void {
    const kernel = this.context.kernel();
    for (const type of PROG_TYPES.slice(1)) {
      const have = !this.barred && haveProgType(kernel, type);
      if (have) this.supported.add(type);
      this.line(`have_${type}_prog_type`, `eBPF program_type ${type}`, `${type}_prog_type`.toUpperCase(), have);
    }
  }

  private mapTypes(): void {
    const kernel = this.context.kernel();
    for (const type of MAP_TYPES.slice(1)) {
      const have = !this.barred && haveMapType(kernel, type);
      this.line(`have_${type}_map_type`, `eBPF map_type ${type}`, `${type}_map_type`.toUpperCase(), have);
    }
  }

  private helpers(): void {
    const { json } = this.context;
    const { macros } = this.options;
    if (macros !== undefined) this.context.out(helperMacroComment(macros));
    for (const type of PROG_TYPES.slice(1)) {
      if (json) json.name(`${type}_available_helpers`).startArray();
      else if (macros === undefined) this.context.out(`eBPF helpers supported for program type ${type}:`);
      const any = this.helpersOf(type);
      if (json) json.endArray();
      else if (macros === undefined) {
        this.context.out('\n');
        if (!any && this.supported.has(type)) this.context.out('\tCould not determine which helpers are available\n');
        else if (!any) this.context.out('\tProgram type not supported\n');
      }
    }
  }

  /** True where at least one helper can be called. */
  private helpersOf(type: ProgTypeName): boolean {
    const { json } = this.context;
    const { macros, full } = this.options;
    let any = false;
    for (const [id, name] of HELPERS.entries()) {
      if (id === 0 || (NOISY.has(name) && !full)) continue;
      const have = this.supported.has(type) && haveHelper(this.context.kernel(), type, id);
      any ||= have;
      if (json) {
        if (have) json.value(`bpf_${name}`);
      } else if (macros !== undefined) {
        this.context.out(`#define ${macros}BPF__PROG_TYPE_${type}__HELPER_bpf_${name} ${have ? 1 : 0}\n`);
      } else if (have) this.context.out(`\n\t- bpf_${name}`);
    }
    return any;
  }

  run(): void {
    const { json } = this.context;
    const kernel = this.context.kernel();
    json?.startObject();
    this.section('system_config', () => this.systemConfig());
    this.section('syscall_config', () =>
      this.line('have_bpf_syscall', 'bpf() syscall', 'BPF_SYSCALL', haveSyscall(kernel)),
    );
    this.section('program_types', () => this.programTypes());
    this.section('map_types', () => this.mapTypes());
    this.section('helpers', () => this.helpers());
    this.section('misc', () => {
      for (const m of MISC) this.line(m.json, m.plain, m.macro, !this.barred && haveMisc(kernel, m.insns()));
    });
    json?.endObject();
  }
}

/** feature probe [kernel] [full] [unprivileged] [macros [prefix PREFIX]] */
export const probe = (context: CommandContext, words: string[]): void => new Probe(context, parseOptions(words)).run();
