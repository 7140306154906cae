import { createHash, generateKeyPairSync, verify, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { signInsns } from './sign.ts';

const file = (name: string): Buffer => readFileSync(new URL(`../../../testdata/light/${name}`, import.meta.url));
const KEY = file('not-a-secret.pem');
const CERTIFICATE = file('not-a-secret.crt');
const INSNS = Buffer.from('95000000000000009500000000000000', 'hex');

describe('a signature', () => {
  test('is one of the instructions, by the key of the certificate', () => {
    const { bytes, programHash } = signInsns(INSNS, KEY, CERTIFICATE);
    const { publicKey } = new X509Certificate(CERTIFICATE);
    // RSA-2048: the signature is the last field.
    expect(verify('sha256', INSNS, publicKey, bytes.subarray(-256))).toBe(true);
    expect(Buffer.from(programHash)).toEqual(createHash('sha256').update(INSNS).digest());
  });

  test('is the same with a certificate in DER', () => {
    const { raw } = new X509Certificate(CERTIFICATE);
    expect(signInsns(INSNS, KEY, raw)).toEqual(signInsns(INSNS, KEY, CERTIFICATE));
  });

  test.each([
    ['no key', Buffer.from('x'), CERTIFICATE, 'private key: '],
    ['no certificate', KEY, Buffer.from('x'), 'certificate: '],
    [
      'the key of somebody else',
      Buffer.from(
        generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'pem', type: 'sec1' }),
      ),
      CERTIFICATE,
      'private key does not match certificate',
    ],
  ])('cannot be made with %s', (_, key, certificate, message) => {
    expect(() => signInsns(INSNS, key, certificate)).toThrow(message);
  });
});
