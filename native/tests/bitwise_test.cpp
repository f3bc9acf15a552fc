// Every backend of this machine against the scalar one, bit for bit.
#include <cmath>
#include <cstdio>
#include <cstring>
#include <random>
#include <vector>

#include "doctest/doctest.h"
#include "panorm.h"

namespace {

constexpr int kTypes[] = {PANORM_F32, PANORM_F64, PANORM_F16, PANORM_BF16, PANORM_I8};
constexpr int kBackends[] = {PANORM_NEON, PANORM_AVX2, PANORM_AVX512};
const char *const kNames[] = {"scalar", "neon", "avx2", "avx512"};

int size_of(int type) {
  const int sizes[] = {4, 8, 2, 2, 1};
  return sizes[type];
}

using Bytes = std::vector<unsigned char>;

std::mt19937 random_bits(20191016);

// Elements of a type, by their bits: all magnitudes that the type has, or ordinary ones.
Bytes values(int type, long long n, double scale, double offset) {
  std::normal_distribution<double> normal;
  Bytes bytes(n * size_of(type));
  for (long long i = 0; i < n; ++i) {
    double value = normal(random_bits) * scale + offset;
    float single = (float)value;
    unsigned u;
    std::memcpy(&u, &single, 4);
    unsigned short half = (unsigned short)(u >> 16);  // a bf16
    if (type == PANORM_F16) {                         // 1 to 2, either sign
      half = (unsigned short)(0x3c00 | (random_bits() & 0x83ff));
    }
    void *at = &bytes[i * size_of(type)];
    if (type == PANORM_F32) std::memcpy(at, &single, 4);
    if (type == PANORM_F64) std::memcpy(at, &value, 8);
    if (size_of(type) == 2) std::memcpy(at, &half, 2);
  }
  return bytes;
}

// The bits, with all NaNs made one: their payload is the processor's choice.
Bytes without_payloads(Bytes bytes, int type) {
  int size = size_of(type);
  for (size_t i = 0; i + size <= bytes.size(); i += size) {
    unsigned long long u = 0;
    std::memcpy(&u, &bytes[i], size);
    const int mantissa[] = {23, 52, 10, 7, 0};
    unsigned long long infinity =
        type == PANORM_I8 ? ~0ull
                          : ((1ull << (size * 8 - 1)) - 1) >> mantissa[type] << mantissa[type];
    unsigned long long magnitude = u & ((1ull << (size * 8 - 1)) - 1);
    if (magnitude > infinity) {
      u = infinity | 1;
      std::memcpy(&bytes[i], &u, size);
    }
  }
  return bytes;
}

struct Shape {
  long long rows, groups, width, span;
};

struct Inputs {
  Bytes x, aux, gain, bias;
};

std::vector<Bytes> run_forward(const void *kernel, int x_type, int y_type, const Shape &s,
                               const Inputs &in, int options, double epsilon, double offset,
                               bool gain, bool bias) {
  long long stride = s.groups * s.width + 3, n = s.rows * stride;
  int statistic = x_type == PANORM_F64 ? PANORM_F64 : PANORM_F32;
  Bytes aux = in.aux, y(n * size_of(y_type), 0x55);
  long long statistics = s.rows * s.groups > s.width ? s.rows * s.groups : s.width;
  Bytes stat0(statistics * size_of(statistic), 0x55), stat1 = stat0;
  int status = panorm_forward(kernel, in.x.data(), aux.data(), gain ? in.gain.data() : nullptr,
                              bias ? in.bias.data() : nullptr, y.data(), stat0.data(), stat1.data(),
                              s.rows, s.groups, s.width, s.span, stride, stride, stride, epsilon,
                              offset, (double)s.span, options);
  REQUIRE(status == PANORM_OK);
  return {without_payloads(aux, x_type), without_payloads(y, y_type),
          without_payloads(stat0, statistic), without_payloads(stat1, statistic)};
}

std::vector<Bytes> run_backward(const void *kernel, int type, const Shape &s, const Inputs &in,
                                const Bytes &stat0, const Bytes &stat1, int options,
                                double offset) {
  long long stride = s.groups * s.width + 3, n = s.rows * stride;
  int statistic = type == PANORM_F64 ? PANORM_F64 : PANORM_F32;
  long long elements = s.groups * s.width > s.rows ? s.groups * s.width : s.rows;
  Bytes dx(n * size_of(type), 0x55), dgain(elements * size_of(statistic), 0x55), dbias = dgain;
  int status = panorm_backward(kernel, in.aux.data(), in.x.data(), in.gain.data(), stat0.data(),
                               stat1.data(), dx.data(), dgain.data(), dbias.data(), s.rows,
                               s.groups, s.width, s.span, stride, stride, stride, 1e-5, offset,
                               (double)s.span, options);
  REQUIRE(status == PANORM_OK);
  return {without_payloads(dx, type), without_payloads(dgain, statistic),
          without_payloads(dbias, statistic)};
}

TEST_CASE("every backend writes the bits of the scalar one") {
  const long long widths[] = {1,  2,  3,  7,  8,   15,  16,  17,  31,
                              33, 63, 64, 65, 100, 127, 128, 129, 257};
  const double scales[] = {1, 1e-3, 3e18, 1e37, 1e-30, 1e-42};
  const int options[] = {0,
                         PANORM_EPSILON_OUTSIDE,
                         PANORM_EPSILON_FLOOR,
                         PANORM_AUX_ADD,
                         PANORM_AUX_GATE,
                         PANORM_GAIN_SHARED,
                         PANORM_GAIN_PER_GROUP | PANORM_AUX_ADD,
                         PANORM_GAIN_PER_ROW,
                         PANORM_ROUND_BEFORE_GAIN};
  for (int backend : kBackends) {
    if (!panorm_kernel(PANORM_RMS_NORM, PANORM_F32, PANORM_F32, backend)) continue;
    long long compared = 0, different = 0;
    for (int op = PANORM_RMS_NORM; op <= PANORM_BATCH_NORM_BACKWARD; ++op) {
      bool batch = op >= PANORM_BATCH_NORM;
      for (int x_type : kTypes) {
        for (int y_type : kTypes) {
          const void *ours = panorm_kernel(op, x_type, y_type, backend);
          const void *scalar = panorm_kernel(op, x_type, y_type, PANORM_SCALAR);
          REQUIRE((ours == nullptr) == (scalar == nullptr));
          if (!ours) continue;
          bool backward = op == PANORM_RMS_NORM_BACKWARD || op == PANORM_LAYER_NORM_BACKWARD ||
                          op == PANORM_BATCH_NORM_BACKWARD;
          bool layer = op == PANORM_LAYER_NORM || op == PANORM_LAYER_NORM_BACKWARD;
          int turn = 0;
          for (long long width : widths) {
            for (double scale : scales) {
              int option = batch ? 0 : options[turn++ % 9];
              if (backward)
                option &= ~(PANORM_AUX_ADD | PANORM_AUX_GATE | PANORM_ROUND_BEFORE_GAIN);
              Shape s = {batch ? 37 : 3, batch ? 1 : 2, width, width};
              if (!batch && turn % 3 == 1) s = {1, 1, width, width};  // has a way of its own
              if (!layer && !batch && turn % 4 == 0) s.span = (width + 1) / 2;
              long long n = s.rows * (s.groups * width + 3);
              double offset = turn % 3 == 0 ? 1e4 * scale : 0;
              Inputs in = {values(x_type, n, scale, offset), values(x_type, n, scale, 0),
                           values(x_type, n, 1, 0), values(x_type, n, 1, 0)};
              std::vector<Bytes> a, b;
              double gain_offset = turn % 5 == 0 ? 1 : 0;
              if (backward) {
                int statistic = x_type == PANORM_F64 ? PANORM_F64 : PANORM_F32;
                long long count = batch ? width : s.rows * s.groups;
                Bytes stat0 = values(statistic, count, 1, 0),
                      stat1 = values(statistic, count, 1, 3);
                a = run_backward(ours, x_type, s, in, stat0, stat1, option, gain_offset);
                b = run_backward(scalar, x_type, s, in, stat0, stat1, option, gain_offset);
              } else if (op == PANORM_BATCH_NORM_INFERENCE) {
                continue;  // reads the statistics: covered from Java
              } else {
                double epsilon = turn % 2 == 0 ? 1e-5 : 0;
                bool gain = turn % 7 != 0, bias = turn % 2 == 0;
                a = run_forward(ours, x_type, y_type, s, in, option, epsilon, gain_offset, gain,
                                bias);
                b = run_forward(scalar, x_type, y_type, s, in, option, epsilon, gain_offset, gain,
                                bias);
              }
              ++compared;
              if (a != b) {
                ++different;
                for (size_t i = 0; i < a.size(); ++i) {
                  if (a[i] != b[i]) {
                    MESSAGE("output ", i, " differs: operator ", op, " types ", x_type, " ", y_type,
                            " width ", width, " scale ", scale, " options ", option);
                  }
                }
              }
            }
          }
        }
      }
    }
    std::printf("%s compared with scalar: %lld calls\n", kNames[backend], compared);
    CHECK(compared > 0);
    CHECK(different == 0);
  }
}

// Calls of many megabytes store past the caches where the rows of y are aligned.
TEST_CASE("large batches, aligned or not, have the bits of the scalar backend") {
  const long long rows = 900, width = 4096;
  Bytes x = values(PANORM_F32, rows * width, 1, 0), gain = values(PANORM_F32, width, 1, 0);
  Bytes memory(rows * width * 4 + 128);
  auto run = [&](const void *kernel, int misalignment) {
    unsigned char *start = memory.data() + 64 - (unsigned long long)memory.data() % 64;
    unsigned char *y = start + misalignment;
    REQUIRE(panorm_forward(kernel, x.data(), nullptr, gain.data(), nullptr, y, nullptr, nullptr,
                           rows, 1, width, width, width, 0, width, 1e-5, 0, (double)width,
                           0) == PANORM_OK);
    return Bytes(y, y + rows * width * 4);
  };
  Bytes expected = run(panorm_kernel(PANORM_RMS_NORM, PANORM_F32, PANORM_F32, PANORM_SCALAR), 0);
  for (int backend : kBackends) {
    const void *kernel = panorm_kernel(PANORM_RMS_NORM, PANORM_F32, PANORM_F32, backend);
    if (!kernel) continue;
    for (int misalignment : {0, 4}) CHECK(run(kernel, misalignment) == expected);
  }
}

TEST_CASE("bad arguments are refused and nothing is written") {
  const void *kernel = panorm_kernel(PANORM_RMS_NORM, PANORM_F32, PANORM_F32, PANORM_SCALAR);
  REQUIRE(kernel != nullptr);
  float x[4] = {1, 2, 3, 4}, y[4] = {7, 7, 7, 7};
  auto call = [&](const void *k, const void *in, long long rows, long long span, int options) {
    return panorm_forward(k, in, nullptr, nullptr, nullptr, y, nullptr, nullptr, rows, 1, 4, span,
                          4, 4, 4, 1e-5, 0, 4, options);
  };
  CHECK(call(nullptr, x, 1, 4, 0) == PANORM_BAD_ARGUMENT);
  CHECK(call(kernel, nullptr, 1, 4, 0) == PANORM_BAD_ARGUMENT);
  CHECK(call(kernel, x, -1, 4, 0) == PANORM_BAD_ARGUMENT);
  CHECK(call(kernel, x, 1, 0, 0) == PANORM_BAD_ARGUMENT);
  CHECK(call(kernel, x, 1, 5, 0) == PANORM_BAD_ARGUMENT);
  CHECK(call(kernel, x, 1, 4, 1 << 20) == PANORM_BAD_ARGUMENT);
  CHECK(call(kernel, x, 1, 4, PANORM_AUX_ADD) == PANORM_BAD_ARGUMENT);  // no aux
  for (float e : y) CHECK(e == 7);
  CHECK(call(kernel, x, 0, 4, 0) == PANORM_OK);
  CHECK(call(kernel, x, 1, 4, 0) == PANORM_OK);
  CHECK(y[0] != 7);
}

TEST_CASE("what does not exist has no kernel") {
  CHECK(panorm_kernel(99, PANORM_F32, PANORM_F32, PANORM_SCALAR) == nullptr);
  CHECK(panorm_kernel(PANORM_RMS_NORM, 99, PANORM_F32, PANORM_SCALAR) == nullptr);
  CHECK(panorm_kernel(PANORM_RMS_NORM, PANORM_F32, PANORM_F32, 99) == nullptr);
  CHECK(panorm_kernel(PANORM_RMS_NORM_BACKWARD, PANORM_F32, PANORM_I8, PANORM_SCALAR) == nullptr);
  CHECK(panorm_abi == PANORM_ABI);
}

}  // namespace
