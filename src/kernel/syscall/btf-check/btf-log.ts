// The log of BTF checking: every type as it is found, and what is wrong with the one that is not good.
import { KIND_NAMES } from '../../../btf/kinds.ts';
import { ERRNO } from '../../../errno.ts';
import type { VerifierLog } from '../../verifier/log.ts';
import { detailsOf, memberText } from './describe.ts';
import { BtfFault } from './fault.ts';
import type { RawBtf } from './raw-btf.ts';

export class BtfLog {
  /** Id that lines about types begin with. */
  typeId = 1;
  /** All types have been printed: what is printed of them now is about errors. */
  printed = false;
  private readonly log: VerifierLog;
  private readonly btf: RawBtf;

  constructor(log: VerifierLog, btf: RawBtf) {
    this.log = log;
    this.btf = btf;
  }

  get isOn(): boolean {
    return this.log.level !== 0;
  }

  /** Several messages, one character a byte; each is cut by itself. */
  write(...messages: string[]): void {
    for (const message of messages) this.log.writeBytes(message);
  }

  private head(id: number): string {
    return `[${this.typeId}] ${KIND_NAMES[this.btf.kind(id)]} ${this.btf.name(this.btf.nameOffset(id))} `;
  }

  /** A type with its details, and a remark. rule: btf_verifier_log_type, 6.18 */
  type(id: number, remark?: string): void {
    if (!this.isOn) return;
    this.write(this.head(id), ...detailsOf(this.btf, id));
    this.end(remark);
  }

  private end(remark: string | undefined): void {
    if (remark) this.write(' ', remark);
    this.write('\n');
  }

  /** A member of a struct, with the type it has. rule: btf_verifier_log_member, 6.18 */
  member(struct: number, i: number, remark?: string, type = this.btf.word(struct, i * 3 + 1)): void {
    if (!this.isOn) return;
    if (this.printed) this.type(struct);
    this.write(memberText(this.btf, struct, i, type));
    this.end(remark);
  }

  /** A variable of a section. rule: btf_verifier_log_vsi, 6.18 */
  variable(section: number, i: number, remark?: string): void {
    if (!this.isOn) return;
    if (this.printed) this.type(section);
    const [type, offset, size] = [0, 1, 2].map((word) => this.btf.word(section, i * 3 + word));
    this.write(`\t type_id=${type} offset=${offset} size=${size}`);
    this.end(remark);
  }

  /** Ends the check: a remark without a type. */
  fail(message: string, errno: number = ERRNO.EINVAL): never {
    this.write(message);
    throw new BtfFault(errno);
  }

  /** Ends the check: the type is not good. */
  failType(id: number, remark: string, errno: number = ERRNO.EINVAL): never {
    this.type(id, remark);
    throw new BtfFault(errno);
  }

  /** Ends the check: the type cannot even be described. rule: btf_verifier_log_basic, 6.18 */
  failBasic(id: number, remark: string): never {
    if (this.isOn) {
      this.write(this.head(id).slice(0, -1));
      this.end(remark);
    }
    throw new BtfFault(ERRNO.EINVAL);
  }

  failMember(struct: number, i: number, remark: string, type?: number): never {
    this.member(struct, i, remark, type);
    throw new BtfFault(ERRNO.EINVAL);
  }

  failVariable(section: number, i: number, remark: string): never {
    this.variable(section, i, remark);
    throw new BtfFault(ERRNO.EINVAL);
  }
}
