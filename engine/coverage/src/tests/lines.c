/* Makes lines.wasm, of which the tests ask the lines:
   clang --target=wasm32 -nostdlib -O1 -gline-tables-only -fdebug-compilation-dir=/project -Wl,--no-entry -o lines.wasm lines.c */

static volatile int seen;

__attribute__((noinline)) static int never(int count) {
  seen = count;
  return count + 1;
}

static inline int inlined(int count) {
  if (count > 9)
    seen = 3;
  return count;
}

__attribute__((export_name("judge"))) int judge(int count) {
  if (count < 0) {
    seen = 1;
    seen = never(count);
  }
  if (count > 100)
    __builtin_trap();
  return inlined(count) + seen;
}
