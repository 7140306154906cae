// Types of base.c, used and hidden by others of the same name.
struct shared { int a; struct shared *next; enum { FIRST, SECOND } state; };
union either { long l; char c[8]; };
typedef int (*handler_t)(struct shared *, union either);
struct fresh { struct shared in; handler_t h; struct fresh *more[2]; unsigned short bits : 5; };
typedef struct fresh either;
struct fresh f; either g; union either u; handler_t h; struct shared s;
int main(void) { return f.in.a + g.bits + (int)u.l + (h != 0) + s.a; }
