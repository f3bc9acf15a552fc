// The same bits on every platform: runs the calls listed in same_bits.csv on every backend of this
// machine and compares the hashes of inputs and outputs with the file's.
//
//   panorm-same-bits FILE            check
//   panorm-same-bits --write FILE    write the file anew, by the scalar backend
#include <cstdio>
#include <cstring>

#include "call.h"

namespace {

using namespace panorm_tests;

constexpr int kCallsEach = 24;  // each kernel: every shape and every class of values three times

constexpr char kHeader[] =
    "# Calls of kernels, and hashes (FNV-1a) of all arguments before and after. Written by\n"
    "# panorm-same-bits --write; every backend on every platform must find the same. Numbers are\n"
    "# those of panorm.h; native/tests/call.h says how memory is laid out and filled from the "
    "seed.\n"
    "# op,x,y,rows,groups,width,span,padding,misalignment,in_place,absent,options,epsilon,\n"
    "# gain_offset,values,seed,inputs,outputs\n";

int write(const char *path) {
  struct Shape {
    int rows, groups, width;
  };
  constexpr Shape shapes[] = {{1, 1, 1},   {3, 1, 7},   {2, 2, 64},   {5, 1, 128},
                              {5, 3, 100}, {35, 1, 33}, {2, 1, 1000}, {1, 1, 4097}};
  std::FILE *file = std::fopen(path, "wb");
  if (!file) return std::perror(path), 2;
  std::fputs(kHeader, file);
  Random random = {191007467};
  for (int op = PANORM_RMS_NORM; op <= PANORM_BATCH_NORM_BACKWARD; ++op) {
    for (int x_type : kTypes) {
      for (int y_type : kTypes) {
        const void *kernel = panorm_kernel(op, x_type, y_type, PANORM_SCALAR);
        for (int i = 0; kernel && i < kCallsEach; ++i) {
          Shape s = shapes[i % 8];
          Call c = draw(op, x_type, y_type, s.rows, s.groups, s.width, random);
          c.values = (i + i / 8 * 3) % kValueClasses;
          if (i / 8 == 1) c.make_usual();
          Arrays a = c.arrays();
          unsigned long long inputs = hash_of(a);
          if (c.run(kernel, a) != PANORM_OK) return std::fprintf(stderr, "refused\n"), 1;
          std::fprintf(file,
                       "%d,%d,%d,%lld,%lld,%lld,%lld,%lld,%d,%d,%d,%d,%.17g,%.17g,%d,%llu,%016llx,"
                       "%016llx\n",
                       c.op, c.x_type, c.y_type, c.rows, c.groups, c.width, c.span, c.padding,
                       c.misalignment, c.in_place, c.absent, c.options, c.epsilon, c.gain_offset,
                       c.values, c.seed, inputs, hash_of(a));
        }
      }
    }
  }
  return std::fclose(file) ? 2 : 0;
}

int check(const char *path) {
  std::FILE *file = std::fopen(path, "rb");
  if (!file) return std::perror(path), 2;
  long long calls = 0, runs = 0, different = 0;
  char line[512];
  while (std::fgets(line, sizeof line, file)) {
    if (line[0] == '#') continue;
    Call c = {};
    unsigned long long inputs, outputs;
    int read =
        std::sscanf(line, "%d,%d,%d,%lld,%lld,%lld,%lld,%lld,%d,%d,%d,%d,%lf,%lf,%d,%llu,%llx,%llx",
                    &c.op, &c.x_type, &c.y_type, &c.rows, &c.groups, &c.width, &c.span, &c.padding,
                    &c.misalignment, &c.in_place, &c.absent, &c.options, &c.epsilon, &c.gain_offset,
                    &c.values, &c.seed, &inputs, &outputs);
    if (read != 18) return std::fprintf(stderr, "%s: cannot read: %s", path, line), 2;
    if (left_out(c.x_type, c.y_type)) continue;
    ++calls;
    for (int backend : kBackends) {
      if (!tested(backend)) continue;
      ++runs;
      const void *kernel = panorm_kernel(c.op, c.x_type, c.y_type, backend);
      if (!kernel) {
        ++different;
        std::fprintf(stderr, "%s has no kernel for: %s", kBackendNames[backend], line);
        continue;
      }
      Arrays a = c.arrays();
      bool same_inputs = hash_of(a) == inputs;
      if (same_inputs && c.run(kernel, a) == PANORM_OK && hash_of(a) == outputs) continue;
      ++different;
      std::fprintf(stderr, "%s differ on %s: %s", same_inputs ? "outputs" : "inputs",
                   kBackendNames[backend], line);
    }
  }
  std::fclose(file);
  for (int backend : kBackends) {
    if (tested(backend)) {
      std::printf("%s: %lld calls of %s\n", kBackendNames[backend], calls, path);
    }
  }
  std::printf("%lld differences\n", different);
  return different != 0 || runs == 0;
}

}  // namespace

int main(int count, char **arguments) {
  if (count == 3 && std::strcmp(arguments[1], "--write") == 0) return write(arguments[2]);
  if (count == 2) return check(arguments[1]);
  std::fprintf(stderr, "usage: panorm-same-bits [--write] FILE\n");
  return 2;
}
