// distill BASE FULL BASE_OUT SPLIT_OUT: the types of FULL on top of BASE, and the distilled base that libbpf makes of it
#include <stdio.h>
#include <bpf/btf.h>

static void save(const struct btf *btf, const char *path)
{
	unsigned int size;
	const void *data = btf__raw_data(btf, &size);
	FILE *file = fopen(path, "w");

	fwrite(data, 1, size, file);
	fclose(file);
}

int main(int count, char **words)
{
	struct btf *base = btf__parse(words[1], NULL), *full = btf__parse(words[2], NULL);
	struct btf *split = btf__new_empty_split(base), *new_base, *new_split;

	if (btf__add_btf(split, full) < 0 || btf__dedup(split, NULL) || btf__distill_base(split, &new_base, &new_split))
		return 1;
	save(split, "split.btf");
	save(new_base, words[3]);
	save(new_split, words[4]);
	return 0;
}
