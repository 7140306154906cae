export * from '../rewrite-b/index.ts';
