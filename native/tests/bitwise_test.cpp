// Every backend of this machine against the scalar one, bit for bit.
#include <algorithm>
#include <cstdio>
#include <iterator>
#include <memory>
#include <tuple>
#include <utility>

#include "call.h"
#include "doctest/doctest.h"

namespace {

using namespace panorm_tests;

// So many normal elements.
std::vector<unsigned char> drawn(const Format &format, long long n, Random &random) {
  std::vector<unsigned char> bytes(n * format.size);
  for (long long i = 0; i < n; ++i) {
    unsigned long long bits = element(format, kNormal, random.next());
    std::memcpy(&bytes[i * format.size], &bits, format.size);
  }
  return bytes;
}

TEST_CASE("a backend is tested") {
  CHECK(std::any_of(std::begin(kBackends), std::end(kBackends), tested));
}

TEST_CASE("every backend writes the bits of the scalar one, and nothing else") {
  const long long widths[] = {1,  2,   3,   7,   8,   15,  16,  17,  31,   33,   63,  64,
                              65, 100, 127, 128, 129, 191, 193, 257, 1000, 2048, 4097};
  for (int backend : kBackends) {
    if (!tested(backend)) continue;
    long long calls = 0, failures = 0;
    Random random = {20191016};
    for (int op = PANORM_RMS_NORM; op <= PANORM_BATCH_NORM_BACKWARD; ++op) {
      for (int x_type : kTypes) {
        for (int y_type : kTypes) {
          const void *ours = panorm_kernel(op, x_type, y_type, backend);
          const void *scalar = panorm_kernel(op, x_type, y_type, PANORM_SCALAR);
          REQUIRE((ours == nullptr) == (scalar == nullptr));
          if (!ours || left_out(x_type, y_type)) continue;
          for (long long width : widths) {
            for (int i = 0; i < (width < 300 ? draws() : 2); ++i) {
              // One row has a way of its own; sums over rows have blocks of 16.
              int rows = i == 7 ? 40 : i % 3 == 1 ? 1 : 1 + random.below(5);
              int groups = rows == 1 ? 1 : 1 + random.below(3);
              Call call = draw(op, x_type, y_type, rows, groups, width, random);
              if (random.below(2)) call.make_usual();
              const Arrays before = call.arrays();
              Arrays actual = before, expected = before;
              int status = call.run(ours, actual), expected_status = call.run(scalar, expected);
              ++calls;
              if (status != PANORM_OK || expected_status != PANORM_OK || actual != expected ||
                  call.wrote_elsewhere(before, actual)) {
                ++failures;
                MESSAGE("operator ", op, " types ", x_type, " ", y_type, " rows ", rows, " width ",
                        width, " options ", call.options, " values ", call.values, " seed ",
                        call.seed, " statuses ", status, " ", expected_status);
              }
            }
          }
        }
      }
    }
    std::printf("%s compared with scalar: %lld calls\n", kBackendNames[backend], calls);
    CHECK(calls > 0);
    CHECK(failures == 0);
  }
}

TEST_CASE("kernels for one row write the bits of the general ones, and nothing else") {
  for (int backend : kBackends) {
    if (!tested(backend)) continue;
    long long calls = 0, failures = 0;
    Random random = {2019};
    for (int op : {PANORM_RMS_NORM, PANORM_LAYER_NORM}) {
      for (int x_type : kTypes) {
        for (int y_type : kTypes) {
          const void *row = panorm_kernel(op | PANORM_ONE_ROW, x_type, y_type, backend);
          const void *scalar = panorm_kernel(op, x_type, y_type, PANORM_SCALAR);
          REQUIRE((row == nullptr) == (scalar == nullptr));
          if (!row || left_out(x_type, y_type)) continue;
          for (long long width : {1, 7, 16, 33, 64, 65, 127, 128, 200, 1000, 2048, 4096, 4097}) {
            for (int i = 0; i < draws(); ++i) {
              Call call = draw(op, x_type, y_type, 1, 1, width, random);
              call.make_one_row();
              const Arrays before = call.arrays();
              Arrays actual = before, expected = before;
              int status = call.run_one_row(row, actual);
              ++calls;
              if (status != PANORM_OK || call.run(scalar, expected) != PANORM_OK ||
                  actual != expected || call.wrote_elsewhere(before, actual)) {
                ++failures;
                MESSAGE("operator ", op, " types ", x_type, " ", y_type, " width ", width,
                        " options ", call.options, " values ", call.values, " seed ", call.seed,
                        " status ", status);
              }
            }
          }
        }
      }
    }
    std::printf("%s for one row compared with scalar: %lld calls\n", kBackendNames[backend], calls);
    CHECK(calls > 0);
    CHECK(failures == 0);
  }
}

// Where rows begin decides which of their columns are taken apart.
TEST_CASE("rows have the bits of the scalar backend wherever x and y begin") {
  constexpr int places = 16, padding = 5;  // rows begin at other places than the first
  constexpr int most = 5 * (2100 + padding) + places;
  const int step = draws() < 12 ? 5 : 1;
  for (int op : {PANORM_RMS_NORM, PANORM_LAYER_NORM}) {
    for (long long width : {767, 768, 1030, 2100}) {
      for (long long rows : {1, 5}) {
        const long long stride = width + padding, count = (rows - 1) * stride + width;
        Random random = {(unsigned long long)(width + rows)};
        const Format f32 = format_of(PANORM_F32);
        const auto x = drawn(f32, count, random), residual = drawn(f32, count, random);
        const auto gain = drawn(f32, width, random);
        const auto bias = drawn(f32, op == PANORM_LAYER_NORM ? width : 0, random);
        // x, the residual and y, each so many elements after the beginning of a cache line.
        struct Memory {
          alignas(64) float x[most], aux[most], y[most];
        };
        auto run = [&](int backend, bool add, bool in_place, int x_place, int y_place) {
          auto m = std::make_unique<Memory>();
          std::fill_n(m->y, std::size(m->y), -1.0f);
          std::memcpy(m->x + x_place, x.data(), x.size());
          std::memcpy(m->aux + y_place, residual.data(), residual.size());
          float *y = in_place ? m->x + x_place : m->y + y_place;
          REQUIRE(panorm_forward(panorm_kernel(op, PANORM_F32, PANORM_F32, backend), m->x + x_place,
                                 add ? m->aux + y_place : nullptr, gain.data(),
                                 bias.empty() ? nullptr : bias.data(), y, nullptr, nullptr, rows, 1,
                                 width, width, stride, stride, stride, 1e-5, 0, (double)width,
                                 add ? PANORM_AUX_ADD : 0) == PANORM_OK);
          std::vector<float> all(y, y + count);
          all.insert(all.end(), m->aux + y_place, m->aux + y_place + count);
          return all;
        };
        for (bool add : {false, true}) {
          for (bool in_place : {false, true}) {
            const auto expected = run(PANORM_SCALAR, add, in_place, 0, 0);
            for (int backend : kBackends) {
              if (!tested(backend) || backend == PANORM_SCALAR) continue;
              int failures = 0;
              for (int x_place = 0; x_place < places; x_place += step) {
                for (int y_place = 0; y_place < places; y_place += step) {
                  failures += run(backend, add, in_place, x_place, y_place) != expected;
                }
              }
              CAPTURE(backend);
              CAPTURE(op);
              CAPTURE(width);
              CAPTURE(rows);
              CAPTURE(add);
              CAPTURE(in_place);
              CHECK(failures == 0);
            }
          }
        }
      }
    }
  }
}

// How long rows are walked depends on how much memory a batch takes: what outgrows the second cache
// is overlapped, what outgrows the last stored past the caches, f32 wherever rows begin, other
// types where rows are aligned.
TEST_CASE("parts of large batches, aligned or not, have the bits of the scalar backend") {
  const long long rows = 20;  // more than a row block, no more for the sake of emulators
  const struct {
    int x, y;
  } types[] = {{PANORM_F32, PANORM_F32}, {PANORM_F16, PANORM_F16},  {PANORM_BF16, PANORM_BF16},
               {PANORM_F64, PANORM_F64}, {PANORM_F32, PANORM_F16},  {PANORM_F32, PANORM_BF16},
               {PANORM_F16, PANORM_F32}, {PANORM_BF16, PANORM_F32}, {PANORM_F32, PANORM_I8}};
  const struct {
    long long groups, width, span, stride;
  } shapes[] = {{1, 4096, 4096, 4096},
                {1, 4096, 4096, 4100},   // the first row may be aligned, the second is not
                {1, 1001, 1001, 1001},   // nor is its end
                {3, 1000, 1000, 3008},   // so may the first group
                {1, 4096, 4001, 4096}};  // so may what is normalized, not the rest
  for (auto type : types) {
    if (left_out(type.x, type.y)) continue;
    for (auto shape : shapes) {
      const long long groups = shape.groups, width = shape.width, stride = shape.stride;
      const long long count = rows * stride, pairs = rows * groups;
      const Format format = format_of(type.x), y_format = format_of(type.y);
      Random random = {1};
      const auto x = drawn(format, count, random), dy = drawn(format, count, random);
      const auto gain = drawn(format, groups * width, random);
      const auto bias = drawn(format, groups * width, random);
      const std::vector<float> of_f32(pairs, 0.75);
      const std::vector<double> of_f64(pairs, 0.75);
      const bool f64 = type.x == PANORM_F64;
      const void *statistics = f64 ? (const void *)of_f64.data() : of_f32.data();
      std::vector<unsigned char> memory(count * y_format.size + 128);
      for (int op = PANORM_RMS_NORM; op <= PANORM_LAYER_NORM_BACKWARD; ++op) {
        const bool backward = op >= PANORM_RMS_NORM_BACKWARD;
        const bool layer = op == PANORM_LAYER_NORM || op == PANORM_LAYER_NORM_BACKWARD;
        if ((backward && type.y != type.x) || (layer && shape.span < width)) continue;
        // `gradients` are those of the gain, 1, and of the bias, 2.
        auto run = [&](const void *kernel, int parts, int misalignment, bool usual, int gradients) {
          const void *g = usual ? gain.data() : nullptr;
          std::fill(memory.begin(), memory.end(), 0x55);
          unsigned char *out = memory.data();
          out += 64 - (unsigned long long)out % 64 + misalignment * y_format.size;
          std::vector<float> scales(type.y == PANORM_I8 ? pairs : 0);
          const long long sums = groups * width * (f64 ? 8 : 4);  // in bytes
          std::vector<unsigned char> dgain(gradients & 1 ? sums : 0);
          std::vector<unsigned char> dbias(gradients & 2 ? sums : 0);
          int options = (parts - 1) * PANORM_PARTS;
          int status =
              backward ? panorm_backward(kernel, dy.data(), x.data(), g, statistics, statistics,
                                         out, gradients & 1 ? dgain.data() : nullptr,
                                         gradients & 2 ? dbias.data() : nullptr, rows, groups,
                                         width, shape.span, stride, stride, stride, 1e-5, 0,
                                         (double)shape.span, options)
                       : panorm_forward(kernel, x.data(), nullptr, g, layer ? bias.data() : nullptr,
                                        out, nullptr, scales.empty() ? nullptr : scales.data(),
                                        rows, groups, width, shape.span, stride, 0, stride, 1e-5, 0,
                                        (double)shape.span, options);
          REQUIRE(status == PANORM_OK);
          return std::make_tuple(std::vector<unsigned char>(out, out + count * y_format.size),
                                 scales, dgain, dbias);
        };
        for (bool usual : {true, false}) {  // without a gain rows have no heads
          for (int gradients = 0; gradients < (backward ? 4 : 1); ++gradients) {
            const void *scalar = panorm_kernel(op, type.x, type.y, PANORM_SCALAR);
            const auto expected = run(scalar, 1, 0, usual, gradients);
            for (int backend : kBackends) {
              if (!tested(backend) || backend == PANORM_SCALAR) continue;
              const void *kernel = panorm_kernel(op, type.x, type.y, backend);
              for (int parts : {1, 4, 256}) {
                for (int misalignment : {0, 1}) {
                  CHECK((run(kernel, parts, misalignment, usual, gradients) == expected));
                }
              }
            }
          }
        }
      }
    }
  }
}

TEST_CASE("gradients that calls of some of the rows add to have the bits of one call") {
  const long long rows = 50, ends[] = {16, 48, 50};
  const struct {
    long long groups, width;
  } shapes[] = {{1, 300}, {3, 70}, {1, 8200}};  // the last has no sums taken along with dx
  for (int op : {PANORM_RMS_NORM_BACKWARD, PANORM_LAYER_NORM_BACKWARD}) {
    for (int type : {PANORM_F32, PANORM_F64, PANORM_BF16}) {
      for (auto shape : shapes) {
        const long long groups = shape.groups, width = shape.width, stride = groups * width;
        const Format format = format_of(type),
                     sums = format_of(type == PANORM_F64 ? PANORM_F64 : PANORM_F32);
        Random random = {2};
        const auto dy = drawn(format, rows * stride, random);
        const auto x = drawn(format, rows * stride, random);
        const auto gain = drawn(format, stride, random);
        const auto statistics = drawn(sums, rows * groups, random);
        for (int layout : {PANORM_GAIN_PER_COLUMN, PANORM_GAIN_SHARED, PANORM_GAIN_PER_GROUP}) {
          auto run = [&](int backend, bool in_parts) {
            const void *kernel = panorm_kernel(op, type, type, backend);
            std::vector<unsigned char> dx(rows * stride * format.size);
            std::vector<unsigned char> dgain(stride * sums.size, 0x55), dbias = dgain;
            for (long long from = 0; from < rows;) {
              long long to = in_parts ? *std::upper_bound(ends, std::end(ends), from) : rows;
              const auto *saved = &statistics[from * groups * sums.size];
              const long long at = from * stride * format.size;
              REQUIRE(panorm_backward(kernel, &dy[at], &x[at], gain.data(), saved, saved, &dx[at],
                                      dgain.data(), dbias.data(), to - from, groups, width, width,
                                      stride, stride, stride, 1e-5, 0, (double)width,
                                      layout | (from ? PANORM_ADD_GRADIENTS : 0)) == PANORM_OK);
              from = to;
            }
            return std::make_tuple(dx, dgain, dbias);
          };
          const auto expected = run(PANORM_SCALAR, false);
          for (int backend : kBackends) {
            if (!tested(backend)) continue;
            CAPTURE(backend);
            CAPTURE(op);
            CAPTURE(type);
            CAPTURE(width);
            CAPTURE(layout);
            CHECK((run(backend, true) == expected));
          }
        }
      }
    }
  }
}

}  // namespace
