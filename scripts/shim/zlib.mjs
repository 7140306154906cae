// node:zlib loads Node's streams, which costs 2 ms; most commands unpack nothing.
const zlib = () => process.getBuiltinModule('node:zlib');

export const gunzipSync = (...args) => zlib().gunzipSync(...args);
export const inflateSync = (...args) => zlib().inflateSync(...args);
export const zstdDecompressSync = (...args) => zlib().zstdDecompressSync(...args);
