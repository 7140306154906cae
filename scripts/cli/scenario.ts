// Command lines that are run one after the other, by the real bpftool to capture and by ours to compare. They stay
// within one folder of the bpf file system, whose objects the earlier lines make.

/** The folder; it is there and empty at the beginning. */
export const FOLDER = '/sys/fs/bpf/bpftool-ts-cli';

const P = FOLDER;
const split = (line: string): string[] => line.split(' ').map((w) => (w === "''" ? '' : w));

const LINES = `
bogus
prog bogus
-z
prog show -1
--json=1 prog
-j bogus
-j prog bogus
prog help
-j prog help
map help
btf help
feature help
gen help
help
version extra words
prog show id
prog show id abc
prog show id 4000000000
prog show foo 1
prog show tag 12
prog show tag 1122334455667788
prog show name nosuch
-j prog show name nosuch
prog show one
prog show one two three
prog show pinned ${P}/nothing
prog dump
prog dump xlated
prog dump bogus id 1
prog dump xlated id 4000000000
prog dump xlated id
prog load
prog load x
prog load /nonexistent.o ${P}/x
-j prog load /nonexistent.o ${P}/x
prog load xdp_parse.bpf.o ${P}/nodir/x
prog load xdp_parse.bpf.o ${P}/x bogus
prog load xdp_parse.bpf.o ${P}/x type
prog load xdp_parse.bpf.o ${P}/x type nosuch
prog load xdp_parse.bpf.o ${P}/x type xdp type xdp
prog load xdp_parse.bpf.o ${P}/x map
prog load xdp_parse.bpf.o ${P}/x map idx 0 id 4000000000
prog load xdp_parse.bpf.o ${P}/x offload_dev nosuchdev
prog load xdp_parse.bpf.o ${P}/a.b
prog load xdp_parse.bpf.o ${P}/x
prog load xdp_parse.bpf.o ${P}/x
prog load reject_license.bpf.o ${P}/y
-j prog load reject_license.bpf.o ${P}/y
prog load map_hash.bpf.o ${P}/h
prog loadall map_hash.bpf.o ${P}/all pinmaps ${P}/maps
prog loadall map_hash.bpf.o ${P}/all
prog loadall map_hash.bpf.o ${P}/none/all
prog pin
prog pin pinned ${P}/x
prog pin pinned ${P}/x ${P}/again
prog pin pinned ${P}/x ${P}/again
-j prog pin pinned ${P}/x ${P}/json
prog show pinned ${P}/maps/counts
map show pinned ${P}/x
prog dump xlated pinned ${P}/x visual opcodes linum
prog dump xlated pinned ${P}/x bogus
prog dump xlated pinned ${P}/x file
prog dump xlated pinned ${P}/x file /tmp/x linum
-j prog dump xlated pinned ${P}/x visual
p d x pinned ${P}/x
prog d j p ${P}/x
map show id abc
map show name nosuch
map show name averyveryverylongname
map dump
map dump pinned
map dump pinned ${P}/maps/counts
-j map dump pinned ${P}/maps/counts
map update pinned ${P}/maps/counts key 1 0 0 0 value 5 0 0 0 0 0 0 0
map update pinned ${P}/maps/counts key 1 0 0 0 value 5 0 0 0 0 0 0 0 noexist
map update pinned ${P}/maps/counts key 9 0 0 0 value 5 0 0 0 0 0 0 0 exist
map dump pinned ${P}/maps/counts
-j map dump pinned ${P}/maps/counts
-p map dump pinned ${P}/maps/counts
map lookup pinned ${P}/maps/counts key 1 0 0 0
-j map lookup pinned ${P}/maps/counts key 1 0 0 0
map lookup pinned ${P}/maps/counts key 7 0 0 0
-j map lookup pinned ${P}/maps/counts key 7 0 0 0
map getnext pinned ${P}/maps/counts
-j map getnext pinned ${P}/maps/counts
map getnext pinned ${P}/maps/counts key 1 0 0 0
map delete pinned ${P}/maps/counts key 7 0 0 0
map delete pinned ${P}/maps/counts key 1 0 0 0
-j map delete pinned ${P}/maps/counts key 1 0 0 0
map create
map create ${P}/m
map create ${P}/m type bogus key 4 value 4 entries 4 name m
map create ${P}/m type hash key a value 4 entries 4 name m
map create ${P}/m type hash key 4 value 4 entries 4 flags 99 name m
map create ${P}/m type hash key 4 value 4 entries 4 bogus 1
map create ${P}/m type hash key 4 value 4 entries 4 flags 0
map create ${P}/m type hash type hash key 4 value 4 entries 4 name m
map create ${P}/m type hash key 4 value 20 entries 2 name m
map create ${P}/m type hash key 4 value 20 entries 2 name m
map update pinned ${P}/m key hex 01 2 3 ff value 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19
map dump pinned ${P}/m
-j map dump pinned ${P}/m
map update pinned ${P}/m key 1 2 3 value 1
map update pinned ${P}/m key 1 2 3 zz value 1
map update pinned ${P}/m key 1 2 3 4 5 value 1
map update pinned ${P}/m key 1 2 3 4 key 1 2 3 4
map update pinned ${P}/m value 1
map update pinned ${P}/m key 1 2 3 4 value 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 any any
map lookup pinned ${P}/m value 1
map lookup pinned ${P}/m
map lookup pinned
map freeze pinned ${P}/m
map freeze pinned ${P}/m
map update pinned ${P}/m key 1 2 3 4 value 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19
map create ${P}/q type queue key 0 value 4 entries 2 name q
map push pinned ${P}/q value 1 0 0 0
map push pinned ${P}/q value 2 0 0 0
map push pinned ${P}/q value 3 0 0 0
map peek pinned ${P}/q
map pop pinned ${P}/q
-j map dequeue pinned ${P}/q
map pop pinned ${P}/q
-j map pop pinned ${P}/q
map dump pinned ${P}/q
map create ${P}/pc type percpu_array key 4 value 4 entries 2 name pc
map update pinned ${P}/pc key 1 0 0 0 value 7 0 0 0
map dump pinned ${P}/pc
-j map lookup pinned ${P}/pc key 1 0 0 0
map update pinned ${P}/pc key 5 0 0 0 value 7 0 0 0
map delete pinned ${P}/pc key 0 0 0 0
map create ${P}/pa type prog_array key 4 value 4 entries 2 name pa
map update pinned ${P}/pa key 0 0 0 0 value pinned ${P}/x
map update pinned ${P}/pa key 1 0 0 0 value pinned ${P}/h
map update pinned ${P}/pa key 1 0 0 0 value
map create ${P}/in type array key 4 value 8 entries 1 name in
map create ${P}/out type array_of_maps key 4 value 4 entries 2 name out
map create ${P}/out type array_of_maps key 4 value 4 entries 2 name out inner_map pinned ${P}/in
map update pinned ${P}/out key 1 0 0 0 value pinned ${P}/in
map update pinned ${P}/out key 0 0 0 0 value pinned ${P}/m
map create ${P}/rb type ringbuf key 0 value 0 entries 4096 name rb
map dump pinned ${P}/rb
map create ${P}/pe type perf_event_array key 4 value 4 entries 2 name pe
map dump pinned ${P}/pe
map create ${P}/longname type hash key 4 value 4 entries 4 name a_name_that_is_too_long
map show pinned ${P}/longname
map pin pinned ${P}/m
map pin pinned ${P}/m ${P}/m2
btf dump
btf dump bogus
btf dump file
btf dump file /nonexistent
btf dump file map_hash.bpf.o format bogus
btf dump file map_hash.bpf.o bogus
btf dump id 4000000000
btf dump map pinned ${P}/maps/counts
btf dump map pinned ${P}/maps/counts key
btf dump map pinned ${P}/maps/counts value format c
btf show id 4000000000
btf show foo
feature bogus
feature probe kernel kernel
feature probe prefix x
feature probe bogus
feature list_builtins
feature list_builtins bogus
gen skeleton
gen skeleton /nonexistent.o
gen bogus
batch
batch file
batch file one two
batch bogus x
batch file /nonexistent
batch file /
batch f /dev/null
batch file ../../cli/batch/empty.txt
-j batch file ../../cli/batch/empty.txt
batch file ../../cli/batch/good.txt
-j batch file ../../cli/batch/good.txt
batch file ../../cli/batch/fails.txt
-j batch file ../../cli/batch/fails.txt
batch file ../../cli/batch/quote.txt
-j batch file ../../cli/batch/quote.txt
batch file ../../cli/batch/cut.txt
-j batch file ../../cli/batch/cut.txt
batch file ../../cli/batch/words.txt
-j batch file ../../cli/batch/words.txt
batch file ../../cli/batch/unknown.txt
-j batch file ../../cli/batch/unknown.txt
batch file ../../cli/batch/help.txt
-j batch file ../../cli/batch/help.txt
batch file ../../cli/batch/nested.txt
-j batch file ../../cli/batch/nested.txt
batch file ../../cli/batch/long.txt
-j batch file ../../cli/batch/long.txt
batch file ../../cli/batch/longer.txt
-j batch file ../../cli/batch/longer.txt
batch file ../../cli/batch/many.txt
-j batch file ../../cli/batch/many.txt
-p batch file ../../cli/batch/good.txt
-jp batch file ../../cli/batch/fails.txt
-d prog loadall map_hash.bpf.o ${P}/dbg pinmaps ${P}/dbg/maps
-d prog loadall tail_call.bpf.o ${P}/dbg2 pinmaps ${P}/dbg/maps
-d prog loadall globals.bpf.o ${P}/dbg pinmaps ${P}/dbg/none/maps
`;

export const COMMANDS: readonly string[][] = LINES.trim().split('\n').map(split);

/** Where the lines are run: beside the objects of the corpus. */
export interface CliAnswer {
  status: number;
  out: string;
  err: string;
}

/** What may differ: ids, times, addresses, tags of rewritten functions. */
export const maskCli = (text: string): string =>
  text
    .replace(/^\d+: /gm, 'ID: ')
    .replace(/map\[id:\d+\]/g, 'map[id:ID]')
    .replace(/loaded_at \S+/g, 'loaded_at TIME')
    .replace(/\bfd[= ]-?\d+/g, 'fd=N')
    .replace(/verification time \d+/g, 'verification time N')
    .replace(/btf_id \d+/g, 'btf_id ID')
    .replace(/map_ids [\d,]+/g, 'map_ids IDS')
    .replace(/inner_map_id: ?\d+/g, 'inner_map_id ID')
    .replace(/0xffff[0-9a-f]{12}/g, 'ADDR');
