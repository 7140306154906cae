// enums of all sizes, name clashes, tags, data sections
enum e32 { A = 0, B = 7, C = 0xffffffff }; enum es { N = -3, P = 4 }; enum e64u { BIG = 0x1ffffffffULL, SMALL = 1 }; enum e64s { NEG = -0x1ffffffffLL, POS = 3 };
enum tiny { T0, T1 } __attribute__((mode(byte))); enum word { W0 = 1, W1 = 2 } __attribute__((mode(word))); enum shrt { S0 } __attribute__((packed));
enum { TOP_A = 1, TOP_B }; enum fwd_enum;
#define __utag __attribute__((btf_type_tag("user")))
#define __tag2 __attribute__((btf_type_tag("rcu")))
#define __dtag(x) __attribute__((btf_decl_tag(x)))
struct tagged { int __utag *up; int __utag __tag2 *u2; const int __utag *const cp; int member __dtag("member_tag"); struct tagged __tag2 *next; } __dtag("struct_tag");
typedef int td_tagged __dtag("td_tag");
typedef enum { X_A, X_B } x_t; struct x_t { int v; };
struct clash { int a; }; typedef struct clash clash; enum clash_e { clash_v }; typedef int clash_v_t;
static volatile const int ro = 5; int g_init = 3; int g_zero; static int s_zero; char str[] = "hello"; 
int ext_arr[4] __dtag("var_tag"); const volatile struct tagged cst; int custom __attribute__((section(".data.custom"))) = 9;
char lic[] __attribute__((section("license"))) = "GPL";
struct use { enum e32 a; enum es b; enum e64u c; enum e64s d; enum tiny e; enum word f; enum shrt g; enum fwd_enum *h; struct tagged t; td_tagged u; x_t v; struct x_t w; clash x; enum clash_e y; clash_v_t z; } the_use;
extern int kern_sym __attribute__((section(".ksyms"))); extern int kf(struct tagged *t, enum tiny q) __attribute__((section(".ksyms")));
int prog(void *ctx, int arg __dtag("arg_tag")) __dtag("fn_tag");
int __attribute__((section("socket"))) prog(void *ctx, int arg) { int top = TOP_B; s_zero += ro + g_init + g_zero + ext_arr[arg & 3] + custom; return s_zero + top + str[arg & 3] + kf(&the_use.t, 1) + kern_sym + cst.member; }
static int __attribute__((noinline)) shadow_one(int k) { struct same { int one; } s = { k }; struct same *volatile p = &s; return p->one; }
static int __attribute__((noinline)) shadow_two(int k) { struct same { long two; } s = { k }; struct same *volatile p = &s; return p->two; }
int shadows(int k) { return shadow_one(k) + shadow_two(k) * shadow_one(k + 1) + shadow_two(k + 2); }
