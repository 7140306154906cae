"""Makes expected/NAME.json and NAME.log from what libbpf asks of the running kernel: capture.py ./capture"""
import json, re, subprocess, sys

OBJECTS = {'maps': [], 'data': [], 'calls': [], 'core': ['kernel.btf']}
MAP_CREATE, MAP_UPDATE, PROG_LOAD, BTF_LOAD, MAP_FREEZE, BIND_MAP = 0, 2, 5, 18, 22, 35
TRIALS = re.compile('libbpf_|det_arg_ctx$|$')


def without_fds(insns, place):
    code = bytearray.fromhex(insns)
    at = 0
    while at < len(code):
        if code[at] == 0x18:
            if code[at + 1] >> 4 in (1, 2):
                fd = int.from_bytes(code[at + 4:at + 8], 'little')
                code[at + 4:at + 8] = place[fd].to_bytes(4, 'little')
            at += 8
        at += 8
    return code.hex()


def summary(calls):
    last = max(i for i, c in enumerate(calls) if c.get('cmd') == BTF_LOAD)
    out = dict(btf=calls[last]['btf'], maps=[], contents={}, frozen=[], slots=[], programs=[], bound=[])
    place = {}
    for call in calls[last + 1:]:
        if 'dup' in call:
            old, new = call['dup']
            if old in place:
                place[new] = place.pop(old)
            continue
        command = call.pop('cmd')
        result = call.pop('res')
        if 'name' in call and TRIALS.match(call['name']):
            continue
        if command == MAP_CREATE:
            inner = call.pop('inner')
            call['hasBtf'] = call.pop('btf') != 0
            if inner:
                call['inner'] = place[inner]
            place[result] = len(out['maps'])
            out['maps'].append(call)
        elif command == MAP_UPDATE:
            index = place[call['map']]
            kind = out['maps'][index]['type']
            if kind in (12, 13):
                out['slots'].append([index, call['key'], place[int.from_bytes(bytes.fromhex(call['value']), 'little')]])
            elif kind == 3:
                out['slots'].append([index, call['key'], 'prog'])
            else:
                out['contents'][str(index)] = call['value']
        elif command == MAP_FREEZE:
            out['frozen'].append(place[call['map']])
        elif command == BIND_MAP and call['map'] in place:
            out['bound'].append(place[call['map']])
        elif command == PROG_LOAD:
            call['insns'] = without_fds(call['insns'], place)
            out['programs'].append(call)
    return out


for name, more in OBJECTS.items():
    run = subprocess.run([sys.argv[1], f'{name}.bpf.o', *more], capture_output=True, text=True, check=True)
    with open(f'expected/{name}.json', 'w') as file:
        json.dump(summary([json.loads(line) for line in run.stdout.splitlines()]), file, indent=1)
    with open(f'expected/{name}.log', 'w') as file:
        file.write(re.sub(r'fd=\d+', 'fd=N', run.stderr))
