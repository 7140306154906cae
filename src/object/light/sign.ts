// Signing loader programs: a detached CMS SignedData over their instructions, as bpftool 7.8 makes it with OpenSSL.
// Syntax: RFC 5652; the signer is named by the certificate's subject key identifier, there are no attributes.
import { createHash, createPrivateKey, type KeyObject, sign, X509Certificate } from 'node:crypto';
import { SysError } from '../../errno.ts';

/** Tags of DER. */
const TAG = { INTEGER: 0x02, OCTETS: 0x04, OID: 0x06, SEQUENCE: 0x30, SET: 0x31, CONTEXT_0: 0x80, EXPLICIT_0: 0xa0 };
/** Encoded object identifiers. */
const OID = {
  data: '2a864886f70d010701',
  signedData: '2a864886f70d010702',
  sha256: '608648016503040201',
  rsaEncryption: '2a864886f70d010101',
  ecdsaWithSha256: '2a8648ce3d040302',
} as const;
const NULL = Buffer.from([0x05, 0]);
/** Version of SignedData and SignerInfo where signers are named by key identifier. */
const VERSION = 3;
/** Extension subjectKeyIdentifier: its identifier, then an octet string that holds another. */
const KEY_ID = Buffer.from('0603551d0e04', 'hex');
/** Bytes that bpftool has for a signature. */
const MAX_BYTES = 4096;

const der = (tag: number, ...parts: readonly Uint8Array[]): Uint8Array => {
  const content = Buffer.concat(parts);
  const { length } = content;
  const long = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...long]), content]);
};
const oid = (hex: string): Uint8Array => der(TAG.OID, Buffer.from(hex, 'hex'));
const small = (value: number): Uint8Array => der(TAG.INTEGER, Buffer.from([value]));

/** Identifier of a certificate's key; undefined where it names none. */
function keyIdentifier({ raw }: X509Certificate): Uint8Array | undefined {
  const at = raw.indexOf(KEY_ID);
  if (at < 0) return undefined;
  // Lengths are below 128: the inner string is a hash.
  const inner = at + KEY_ID.length + 1;
  return raw[inner] === TAG.OCTETS ? raw.subarray(inner + 2, inner + 2 + raw[inner + 1]) : undefined;
}

const refuse = (what: string): never => {
  throw new SysError('EINVAL', what);
};

function algorithm(key: KeyObject): Uint8Array {
  if (key.asymmetricKeyType === 'rsa') return der(TAG.SEQUENCE, oid(OID.rsaEncryption), NULL);
  if (key.asymmetricKeyType === 'ec') return der(TAG.SEQUENCE, oid(OID.ecdsaWithSha256));
  return refuse(`keys of type ${key.asymmetricKeyType} cannot sign`);
}

/** What proves that a loader is the signer's. */
export interface Signature {
  bytes: Uint8Array;
  /** SHA-256 of the instructions: the only program that may use the loader's map. */
  programHash: Uint8Array;
}

const read = <T>(what: string, parse: () => T): T => {
  try {
    return parse();
  } catch (error) {
    return refuse(`${what}: ${(error as Error).message}`);
  }
};

/** `key` in PEM, `certificate` in PEM or DER. Throws SysError where they are no such thing or do not belong together. */
export function signInsns(insns: Uint8Array, key: Uint8Array, certificate: Uint8Array): Signature {
  const privateKey = read('private key', () => createPrivateKey(Buffer.from(key)));
  const signer = read('certificate', () => new X509Certificate(certificate));
  if (!signer.checkPrivateKey(privateKey)) refuse('private key does not match certificate');
  const id = keyIdentifier(signer) ?? refuse('certificate has no key identifier');
  const digest = der(TAG.SEQUENCE, oid(OID.sha256));
  const info = der(
    TAG.SEQUENCE,
    small(VERSION),
    der(TAG.CONTEXT_0, id),
    digest,
    algorithm(privateKey),
    der(TAG.OCTETS, sign('sha256', insns, privateKey)),
  );
  const signed = der(
    TAG.SEQUENCE,
    small(VERSION),
    der(TAG.SET, digest),
    der(TAG.SEQUENCE, oid(OID.data)),
    der(TAG.SET, info),
  );
  const bytes = der(TAG.SEQUENCE, oid(OID.signedData), der(TAG.EXPLICIT_0, signed));
  if (bytes.length > MAX_BYTES) throw new SysError('ENOSPC', 'the signature is too long');
  return { bytes, programHash: createHash('sha256').update(insns).digest() };
}
