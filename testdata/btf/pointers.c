// function pointers, qualifiers, typedefs, cycles, forward declarations
struct fwd_only; union fwd_union; struct a; struct b;
typedef int (*cb_t)(struct a *, void *, ...);
typedef void (*sig_t)(int); typedef sig_t (*sig_fn)(int, sig_t);
typedef int fn_t(int, char); typedef fn_t *fn_ptr; typedef int arr_t[4]; typedef arr_t arr2_t[3]; typedef const volatile char *const cvp;
typedef struct { int x; cb_t cb; } anon_t; typedef struct anon_self { struct anon_self *next; } anon_self_t; typedef union { long l; anon_t s; } anon_u;
typedef enum { E1, E2 = -3, E3 = 0x7fffffff } anon_e; typedef struct fwd_only fwd_td; typedef void void_td; typedef fwd_td *fwd_pp;
struct a { struct b *b; struct a *self; cb_t cb; struct fwd_only *fo; union fwd_union *fu; fwd_td *ft; int (*(*get)(void))(struct b *); };
struct b { struct a a; struct a (*make)(struct a, struct b *); const struct b *const *volatile pp; int * restrict r; volatile int v; const int c; };
struct fp { int (*simple)(void); void (*args)(int a, const char *s, struct fp *p); int (*arr[3])(int); int (*(*parr)[2])(long); void *(*ret)(void); const struct a *(*cret)(const struct a *);
 int (**pp)(int); fn_t *f; sig_fn sg; int (*nested)(int (*)(int (*)(void))); struct { int q; } (*anon_ret)(void); void (*anon_arg)(struct { int z; } *p); };
struct mutual1 { struct mutual2 *m; }; struct mutual2 { struct mutual1 m; struct mutual3 *n; }; struct mutual3 { struct mutual2 x; anon_self_t s; };
typedef struct cyc_td cyc_td; struct cyc_td { cyc_td *p; void (*f)(cyc_td *); };
struct self_holder; typedef void (*self_fn)(struct self_holder *); struct self_holder { self_fn f; };
struct arr_of_td { arr2_t a; fn_ptr f[2]; cvp p; anon_u u; anon_e e; void_td *vt; fwd_pp fp; };
struct embed_via_anon { struct { struct mutual3 y; } *x; };
struct use { struct a *a; struct b b; struct fp fp; struct mutual1 m1; cyc_td c; struct self_holder sh; struct arr_of_td t; struct embed_via_anon e; } the_use;
int global_fn(struct use *u, cb_t cb) { return u->b.c + (int)(long)cb; }
static __attribute__((noinline)) int static_fn(int x) { return x * the_use.b.v; }
int caller(int y) { return static_fn(y) + static_fn(y + 1); }
