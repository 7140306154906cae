// Encryption.
import { KF, type KfuncSet } from './kfunc-set.ts';

/** Rule: crypt_init_kfunc_btf_ids, crypto.c. */
export const CRYPTO_INIT_KFUNCS: KfuncSet = {
  hooks: ['syscall'],
  flags: {
    bpf_crypto_ctx_create: KF.ACQUIRE | KF.RET_NULL | KF.SLEEPABLE,
    bpf_crypto_ctx_release: KF.RELEASE,
    bpf_crypto_ctx_acquire: KF.ACQUIRE | KF.RCU | KF.RET_NULL,
  },
};

/** Rule: crypt_kfunc_btf_ids, crypto.c. */
export const CRYPTO_KFUNCS: KfuncSet = {
  hooks: ['tc', 'sched_act', 'xdp'],
  flags: {
    bpf_crypto_decrypt: KF.RCU,
    bpf_crypto_encrypt: KF.RCU,
  },
};
