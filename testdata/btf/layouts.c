// bitfields, packing, padding, anonymous nests, flexible arrays
typedef unsigned char u8; typedef unsigned short u16; typedef unsigned int u32; typedef unsigned long long u64;
struct bits { u32 a:3; u32 :5; u32 b:7; int c:17; u8 d:1; u8 e:7; u64 f:33; u64 g:31; };
struct bits_gap { int a:1; int :0; int b:4; long long :40; int c:2; char x; };
struct packed { char a; int b; u64 c; short d; } __attribute__((packed));
struct packed_bits { char a; int b:5; int c:29; u64 d:60; } __attribute__((packed));
struct packed_aligned { char a; u64 b; } __attribute__((packed, aligned(4)));
struct aligned16 { int a; } __attribute__((aligned(16)));
struct aligned64 { char a; struct aligned16 in; char b __attribute__((aligned(32))); int tail; } __attribute__((aligned(64)));
struct holes { char a; long b; char c; short d; char e; int f; char g; };
struct tail_pad { u64 a; char b; };
struct has_align_member { char x; int y __attribute__((aligned(8))); char z __attribute__((aligned(4))); };
union u { int a; u64 b:9; struct { char c; long d; }; char bytes[24]; };
struct nest { struct { int a; union { int b; float c; struct { char d, e; } f; }; } in; struct { u8 x; } arr[3]; union { struct { int p; }; struct { long q; }; }; enum { NEST_A, NEST_B = 5 } kind; struct nest *self; struct { struct nest *back; int v; } *ptr; };
struct flex { int n; struct { int k; char v[]; } e; };
struct flex2 { u32 n; u64 data[]; };
struct zero { int n; char z[0]; int after; };
struct empty {};
struct with_empty { struct empty e; int a; struct empty arr[4]; };
struct multi { int a[2][3][4]; char (*p)[8]; char *q[8]; const char *const r[2]; };
struct dbl { float f; double d; _Bool b; __int128 i; unsigned __int128 u; };
struct big_pad { char a; char b __attribute__((aligned(128))); };
struct bf_signed { signed char a:3; short b:9; long c:50; };
struct bf_bool { _Bool a:1; _Bool b:1; u16 c:10; u8 d; };
struct use {
 struct bits a; struct bits_gap b; struct packed c; struct packed_bits d; struct packed_aligned e; struct aligned64 f; struct holes g; struct tail_pad h;
 struct has_align_member i; union u j; struct nest k; struct with_empty l; struct multi m; struct dbl n; struct big_pad o; struct bf_signed p; struct bf_bool q; struct zero r;
};
struct use the_use; struct flex2 *the_flex2; struct flex *the_flex;
