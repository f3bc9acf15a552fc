// libFuzzer: the input draws a kernel, a shape, and a call of it, and overwrites the first elements
// of x. Every backend must then write the scalar one's bits, and nothing else.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fuzzer/FuzzedDataProvider.h>

#include "../tests/call.h"

using namespace panorm_tests;

extern "C" int LLVMFuzzerInitialize(int *, char ***) {
  for (int backend : kBackends) {
    if (tested(backend)) std::fprintf(stderr, "fuzzing %s\n", kBackendNames[backend]);
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct Input {
    FuzzedDataProvider bytes;
    int below(int n) { return bytes.ConsumeIntegralInRange<int>(0, n - 1); }
  } input = {{data, size}};
  int op = input.below(PANORM_BATCH_NORM_BACKWARD + 1);
  int x_type = input.below(PANORM_I8), y_type = input.below(PANORM_I8 + 1);
  const void *scalar = panorm_kernel(op, x_type, y_type, PANORM_SCALAR);
  if (!scalar) return -1;  // not for the corpus
  int rows = 1 + input.below(40), groups = 1 + input.below(3);
  int width = 1 + input.below(input.below(4) ? 300 : 20000 / rows);
  Call call = draw(op, x_type, y_type, rows, groups, width, input);
  int form = op <= PANORM_LAYER_NORM && input.below(4) == 0 ? PANORM_ONE_ROW : 0;
  if (form) {
    call.make_one_row();
  } else if (input.below(2)) {
    call.make_usual();
  }

  Arrays before = call.arrays();
  Array &x = before[call.backward() ? 1 : 0];
  auto elements = input.bytes.ConsumeRemainingBytes<unsigned char>();
  size_t row = call.groups * call.width * format_of(x_type).size;
  std::copy_n(elements.begin(), std::min(elements.size(), row), x.bytes.begin() + x.offset);

  Arrays expected = before;
  int status = call.run(scalar, expected);
  for (int backend : kBackends) {
    if (!tested(backend)) continue;
    const void *kernel = panorm_kernel(op | form, x_type, y_type, backend);
    if (!kernel) std::abort();
    Arrays actual = before;
    int ours = form ? call.run_one_row(kernel, actual) : call.run(kernel, actual);
    if (ours != status || status != PANORM_OK || actual != expected ||
        call.wrote_elsewhere(before, actual)) {
      std::fprintf(
          stderr, "%s: operator %d types %d %d rows %d groups %d width %d options %d status %d\n",
          kBackendNames[backend], op, x_type, y_type, rows, groups, width, call.options, status);
      std::abort();
    }
  }
  return 0;
}
