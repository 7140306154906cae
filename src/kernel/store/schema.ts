// Tables of the state file.

/** PRAGMA application_id: "BPFk". */
export const APPLICATION_ID = 0x4250466b;

/** PRAGMA user_version: raised whenever the tables change their meaning. */
export const SCHEMA_VERSION = 2;

/**
 * Numbers of object kinds as the tables hold them. 64-bit values are stored as SQLite's signed integers.
 *
 * setting   free-form values by name, such as the time of boot
 * counter   the last number given out, by name: ids of each kind, addresses
 * prog, map, btf, link   the objects; `btf.bytes` is NULL for kernel BTF, whose bytes are the image's
 * elem      elements of keyed maps; `key` is in the order of iteration, `stamp` orders LRU maps by last use
 * page      pages of the value areas of arrays and the like; absent ones are zero
 * ref       which object keeps which other alive, `role` saying why and `slot` telling the roles' entries apart
 * holder    processes; `hold` is the objects on which they have descriptors
 * node      the bpf file system: folders and pins by path
 */
export const KIND = { prog: 1, map: 2, btf: 3, link: 4 } as const;

export const SCHEMA = `
CREATE TABLE setting (name TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;
CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE prog (
  id INTEGER PRIMARY KEY,
  type INTEGER NOT NULL,
  name TEXT NOT NULL,
  flags INTEGER NOT NULL,
  expected_attach_type INTEGER NOT NULL,
  tag BLOB NOT NULL,
  load_time INTEGER NOT NULL,
  uid INTEGER NOT NULL,
  gpl INTEGER NOT NULL,
  ifindex INTEGER NOT NULL,
  verified_insns INTEGER NOT NULL,
  btf INTEGER NOT NULL,
  attach_btf_obj INTEGER NOT NULL,
  attach_btf INTEGER NOT NULL,
  memlock INTEGER NOT NULL,
  run_time_ns INTEGER NOT NULL DEFAULT 0,
  run_cnt INTEGER NOT NULL DEFAULT 0,
  recursion_misses INTEGER NOT NULL DEFAULT 0,
  functions TEXT NOT NULL,
  jited_line_info BLOB NOT NULL,
  func_info BLOB NOT NULL,
  line_info BLOB NOT NULL,
  xlated BLOB NOT NULL,
  image BLOB NOT NULL,
  jited BLOB NOT NULL,
  source BLOB NOT NULL,
  origins BLOB NOT NULL
) STRICT;
CREATE TABLE map (
  id INTEGER PRIMARY KEY,
  type INTEGER NOT NULL,
  key_size INTEGER NOT NULL,
  value_size INTEGER NOT NULL,
  max_entries INTEGER NOT NULL,
  flags INTEGER NOT NULL,
  extra INTEGER NOT NULL,
  name TEXT NOT NULL,
  ifindex INTEGER NOT NULL,
  btf INTEGER NOT NULL,
  btf_key_type INTEGER NOT NULL,
  btf_value_type INTEGER NOT NULL,
  btf_vmlinux_value_type INTEGER NOT NULL,
  frozen INTEGER NOT NULL,
  bypass_spec_v1 INTEGER NOT NULL,
  address INTEGER NOT NULL,
  value_address INTEGER,
  count INTEGER NOT NULL DEFAULT 0,
  head INTEGER NOT NULL DEFAULT 0,
  tail INTEGER NOT NULL DEFAULT 0,
  owner TEXT,
  inner_map TEXT
) STRICT;
CREATE TABLE btf (id INTEGER PRIMARY KEY, name TEXT NOT NULL, kernel INTEGER NOT NULL, bytes BLOB) STRICT;
CREATE TABLE link (id INTEGER PRIMARY KEY, type INTEGER NOT NULL, prog INTEGER NOT NULL, detail TEXT NOT NULL) STRICT;
CREATE TABLE elem (
  map INTEGER NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, stamp INTEGER,
  PRIMARY KEY (map, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX elem_by_use ON elem (map, stamp) WHERE stamp IS NOT NULL;
CREATE TABLE page (
  map INTEGER NOT NULL, number INTEGER NOT NULL, bytes BLOB NOT NULL,
  PRIMARY KEY (map, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE ref (
  kind INTEGER NOT NULL, id INTEGER NOT NULL, role TEXT NOT NULL, slot BLOB NOT NULL,
  target_kind INTEGER NOT NULL, target_id INTEGER NOT NULL,
  PRIMARY KEY (kind, id, role, slot)
) STRICT, WITHOUT ROWID;
CREATE INDEX ref_by_target ON ref (target_kind, target_id);
CREATE TABLE holder (id INTEGER PRIMARY KEY, pid INTEGER NOT NULL, started TEXT NOT NULL, space TEXT NOT NULL) STRICT;
CREATE TABLE hold (
  kind INTEGER NOT NULL, id INTEGER NOT NULL, holder INTEGER NOT NULL,
  PRIMARY KEY (kind, id, holder)
) STRICT, WITHOUT ROWID;
CREATE INDEX hold_by_holder ON hold (holder);
CREATE TABLE node (
  path TEXT PRIMARY KEY, parent TEXT NOT NULL, kind INTEGER NOT NULL, id INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX node_by_parent ON node (parent);
CREATE INDEX node_by_object ON node (kind, id);
`;
