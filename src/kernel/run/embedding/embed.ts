// Verifies a program, runs it in random worlds, and tells where a run leaves what was claimed.
import { CALL_KIND } from '../../../isa/opcode.ts';
import { HELPERS } from '../../../isa/uapi.ts';
import { analyse } from '../../verifier/analyse.ts';
import { VerifierEnv, type VerifyRequest } from '../../verifier/env.ts';
import { baseType, FLAG, REG } from '../../verifier/types.ts';
import { SkbContext } from '../contexts/skb.ts';
import { XdpContext } from '../contexts/xdp.ts';
import { HELPER_TABLES, PACKET_TABLES } from '../helpers/index.ts';
import { kfuncOf } from '../kfuncs.ts';
import type { PointerKind } from '../loads.ts';
import { type Code, type HelperFn, Machine, STACK_BYTES } from '../machine.ts';
import { RunFault } from '../memory.ts';
import { prepare } from '../program.ts';
import { randomSource64 } from '../random.ts';
import type { Places } from './claims.ts';
import { ClaimGraph } from './graph.ts';
import { addContext, addMaps, addVariables, landmarksOf } from './inputs.ts';
import { inventResult, LANDMARKS, randomBytes } from './oracle.ts';
import { type Claims, RunOver, Simulation } from './simulate.ts';

export interface EmbeddingResult {
  /** The verifier's verdict, a positive errno; nothing was run unless it is 0. */
  errno: number;
  /** The walk was too long to be remembered: nothing was run. */
  truncated: boolean;
  runs: number;
  /** Instructions at which a run was compared with the claims. */
  steps: number;
  /** Why runs ended before the program did, with how often. */
  endings: Map<string, number>;
  /** Where runs left the claims. */
  problems: string[];
}

const CPUS = 2;
const STEP_LIMIT = 20_000;
const MAY_GOTO_LIMIT = 30;
const MAX_PROBLEMS = 4;

/** Where the pointer of the load or store at `i` of a verified program leads. */
export function pointerKindOf(env: VerifierEnv, i: number): PointerKind {
  const { ptrType } = env.aux[i];
  if (baseType(ptrType) === REG.ARENA) return 'arena';
  if (baseType(ptrType) === REG.BTF_ID) return 'kernel';
  return (ptrType & FLAG.UNTRUSTED) !== 0 ? 'kernel' : 'plain';
}

const isPacketContext = (owner: unknown): owner is XdpContext | SkbContext =>
  owner instanceof XdpContext || owner instanceof SkbContext;

function placesOf(m: Machine, base: number): Places {
  const owner = m.contextOwner();
  const packet = isPacketContext(owner) ? owner.packet : undefined;
  return {
    stackTop: (frameno) => {
      const frame = m.frames[base + frameno];
      return frame && frame.stack.base + BigInt(STACK_BYTES);
    },
    context: m.contextAddress,
    packet: packet && {
      start: packet.address(packet.start),
      end: packet.address(packet.end),
      meta: packet.address(packet.meta),
    },
    isMap: (address) => m.maps.has(address),
    mapOfValue: (address) => {
      const owner = m.memory.find(address)?.owner;
      return typeof owner === 'object' && owner !== null && 'map' in owner
        ? (owner.map as { id: number }).id
        : undefined;
    },
  };
}

class Runner {
  private readonly claims: Claims;
  private readonly result: EmbeddingResult;
  private simulation: Simulation | undefined = undefined;

  constructor(claims: Claims, result: EmbeddingResult) {
    this.claims = claims;
    this.result = result;
  }

  /** Stands for what has not been written: any result that the claims allow. */
  private readonly invent: HelperFn = (m) => {
    const found = inventResult(m, this.simulation?.nextClaims(m.pc, m.frames.length) ?? []);
    if (found === undefined) throw new RunOver('a call does not come back');
    return found;
  };

  private code(m: Machine): Code {
    const { env } = this.claims;
    const isPacket = isPacketContext(m.contextOwner());
    const tables = HELPER_TABLES.filter((table) => isPacket || !PACKET_TABLES.includes(table));
    return prepare({
      name: 'program',
      insns: env.insns,
      helpers: tables,
      pointerKind: (i) => pointerKindOf(env, i),
      callee: (_, insn) => {
        const { src, imm } = insn;
        if (src === CALL_KIND.KFUNC) return kfuncOf(env.image, insn) ?? this.invent;
        const known = src === CALL_KIND.HELPER && tables.some((table) => table[HELPERS[imm]] !== undefined);
        return known ? undefined : this.invent;
      },
    });
  }

  run(seed: number): void {
    const { claims, result } = this;
    const { env } = claims;
    const m = new Machine({
      image: env.image,
      random: randomSource64(BigInt(seed)),
      possibleCpus: CPUS,
      cpu: seed % CPUS,
      stepLimit: STEP_LIMIT,
      mayGotoLimit: seed % MAY_GOTO_LIMIT,
      newStack: (bytes) => bytes.set(randomBytes(m, bytes.length)),
    });
    m.state.set(LANDMARKS, landmarksOf(env.insns));
    addMaps(m, env.usedMaps);
    addVariables(m, env);
    const context = addContext(m, env);
    m.contextAddress = context;
    const code = this.code(m);
    const simulation = new Simulation(claims, code, placesOf);
    this.simulation = simulation;
    m.observer = (machine) => simulation.observe(machine);
    let ending = 'end of the program';
    try {
      m.run(code, context);
    } catch (error) {
      if (!(error instanceof RunFault) && !(error instanceof RunOver)) throw error;
      ending = error instanceof RunFault ? `fault: ${error.message.replace(/0x[0-9a-f]+/, 'X')}` : error.message;
    }
    result.runs++;
    result.steps += simulation.steps;
    result.endings.set(ending, (result.endings.get(ending) ?? 0) + 1);
    for (const problem of simulation.problems) {
      if (result.problems.length < MAX_PROBLEMS) result.problems.push(`run ${seed}: ${problem}`);
    }
  }
}

export interface EmbeddingOptions {
  /** Times that the program is run. */
  runs: number;
  /** Number of the first run; each has a random world of its own. 1 unless given. */
  seed?: number;
  /** False: what Linux itself is known to claim wrongly shows, too. */
  excuses?: boolean;
  /** Collects the claims; a fresh one unless given. */
  graph?: ClaimGraph;
}

/** Verifies a program and, if it is accepted, runs it. Sets the request's observer. */
export function embed(request: VerifyRequest, options: EmbeddingOptions): EmbeddingResult {
  const { runs, seed = 1, excuses = true, graph = new ClaimGraph() } = options;
  request.observer = graph;
  const env = new VerifierEnv(request);
  const errno = Math.abs(analyse(env));
  const result: EmbeddingResult = {
    errno,
    truncated: graph.truncated,
    runs: 0,
    steps: 0,
    endings: new Map(),
    problems: [],
  };
  if (errno !== 0 || graph.truncated) return result;
  const runner = new Runner({ env, graph, excuses }, result);
  for (let i = 0; i < runs; i++) runner.run(seed + i);
  return result;
}
