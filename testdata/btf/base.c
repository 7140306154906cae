// What split.c builds upon.
struct shared { int a; struct shared *next; enum { FIRST, SECOND } state; };
union either { long l; char c[8]; };
typedef int (*handler_t)(struct shared *, union either);
struct shared s; union either e; handler_t h;
int main(void) { return s.a + (int)e.l + (h != 0); }
