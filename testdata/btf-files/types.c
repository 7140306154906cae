struct inner {
	long a;
	char b;
	short c : 3;
	short d : 5;
};
enum e { A = -1, B = 2 };
enum big { BIG = 0x100000000ULL };
typedef struct inner inner_t;
struct outer {
	inner_t i[3];
	enum e e;
	enum big *g;
	void *p;
	double f;
};
struct outer global;
