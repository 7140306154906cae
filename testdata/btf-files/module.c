#include "base.c"
struct mine {
	struct big emb; const struct list *p; union un u; enum en e; enum e64 e6; u32_2 x; struct fl arr[3];
	struct unknown *fw; int (*cb)(struct big *, const char *); struct { int z; } an; enum { AA, BB } ae;
	struct other_mine *o; _Bool b;
};
struct other_mine { struct mine m; big_t t; struct nameless h; };
struct mine g1; struct other_mine g2;
