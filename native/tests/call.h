// A call of a kernel with all its memory, drawn from numbers: what the tests, the same-bits file
// and the fuzz target run on every backend.
#ifndef PANORM_TESTS_CALL_H
#define PANORM_TESTS_CALL_H

#include <cstdlib>
#include <cstring>
#include <vector>

#include "panorm.h"

namespace panorm_tests {

constexpr int kTypes[] = {PANORM_F32, PANORM_F64, PANORM_F16, PANORM_BF16, PANORM_I8};
constexpr int kBackends[] = {PANORM_SCALAR, PANORM_NEON, PANORM_AVX2, PANORM_AVX512};
constexpr const char *kBackendNames[] = {"scalar", "neon", "avx2", "avx512"};

// Whether it is to be tested: this machine has it (each that exists has this kernel), and no other
// one is asked for, as where the processor is emulated.
inline bool tested(int backend) {
  static const char *const only = std::getenv("PANORM_TESTS_BACKEND");
  return panorm_kernel(PANORM_RMS_NORM, PANORM_F32, PANORM_F32, backend) != nullptr &&
         (!only || std::strcmp(only, kBackendNames[backend]) == 0);
}

// Whether calls of these types are left out: Bochs 2.7 rounds ties to f16 away from zero.
inline bool left_out(int x_type, int y_type) {
  static const bool without_f16 = std::getenv("PANORM_TESTS_WITHOUT_F16") != nullptr;
  return without_f16 && (x_type == PANORM_F16 || y_type == PANORM_F16);
}

// Calls drawn for a width; fewer where the processor is emulated.
inline int draws() {
  static const char *const set = std::getenv("PANORM_TESTS_DRAWS");
  return set ? std::atoi(set) : 12;
}

// Classes of values, each another corner of a type's range.
enum Values {
  kNormal,
  kAnyExponent,
  kHuge,  // their squares overflow
  kTiny,  // their squares underflow
  kSubnormal,
  kAround10000,
  kZeros,    // of either sign, and a few others
  kSpecial,  // a NaN or an infinity here and there
  kValueClasses,
  kPositive = kValueClasses,  // for inverse deviations and variances
  kAnyPositive,               // from zero to infinity
  kUntouched                  // the pattern that also fills gaps
};

// SplitMix64 (Steele, Lea, Flood 2014): the numbers of java.util.SplittableRandom.nextLong().
struct Random {
  unsigned long long state;

  unsigned long long next() {
    unsigned long long z = state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  int below(long long n) { return (int)(next() % n); }
};

struct Format {
  int size, mantissa, exponents;  // bytes, bits, number of exponents

  // The exponent of 1, of NaNs and infinities.
  int one() const { return exponents / 2 - 1; }
  int special() const { return exponents - 1; }
};

inline Format format_of(int type) {
  constexpr Format formats[] = {{4, 23, 256}, {8, 52, 2048}, {2, 10, 32}, {2, 7, 256}, {1, 0, 0}};
  return formats[type];
}

// The bits of an element, made without arithmetic so that they are the same everywhere.
inline unsigned long long element(const Format &f, int values, unsigned long long random) {
  unsigned long long mantissa = random & ((1ull << f.mantissa) - 1), sign = random >> 63;
  int pick = (int)(random >> 52 & 0x7ff), exponent = f.one() - pick % 4;
  switch (values) {
    case kAnyExponent:
      exponent = pick % f.special();
      break;
    case kHuge:
      exponent = f.special() - 1 - pick % 6;
      break;
    case kTiny:
      exponent = 1 + pick % 6;
      break;
    case kSubnormal:
      exponent = 0;
      break;
    case kAround10000: {
      int noise = f.mantissa > 12 ? f.mantissa - 12 : 1;
      exponent = f.one() + 13;
      mantissa = (113ull << f.mantissa >> 9) ^ (mantissa & ((1ull << noise) - 1));
      sign = 0;
      break;
    }
    case kZeros:
      if (pick % 8) exponent = 0, mantissa = 0;
      break;
    case kSpecial:
      if (pick % 64 == 0) {
        exponent = f.special();
        mantissa = pick & 64 ? 0 : pick & 128 ? mantissa : (1ull << f.mantissa) - 1;
      }
      break;
    case kPositive:
      sign = 0;
      break;
    case kAnyPositive:
      sign = 0;
      exponent = pick % f.exponents;
      if (exponent == f.special()) mantissa = 0;
      break;
    default:
      break;
  }
  return sign << (8 * f.size - 1) | (unsigned long long)exponent << f.mantissa | mantissa;
}

// An argument's memory, with no byte behind its last element. Empty: a null pointer.
struct Array {
  int type = PANORM_F32;
  int offset = 0;  // in bytes
  std::vector<unsigned char> bytes;

  void *data() { return bytes.empty() ? nullptr : bytes.data() + offset; }

  // All NaNs made one: their payload is the processor's choice.
  void drop_payloads() {
    Format f = format_of(type);
    if (f.exponents == 0) return;
    unsigned long long infinity = (unsigned long long)f.special() << f.mantissa;
    for (size_t i = offset; i + f.size <= bytes.size(); i += f.size) {
      unsigned long long bits = 0;
      std::memcpy(&bits, &bytes[i], f.size);
      if ((bits & ((1ull << (8 * f.size - 1)) - 1)) > infinity) {
        bits = infinity | 1;
        std::memcpy(&bytes[i], &bits, f.size);
      }
    }
  }

  bool operator==(const Array &other) const { return bytes == other.bytes; }
};

// In panorm.h's order: x, aux, gain, bias, y, stat0, stat1, or dy, x, gain, stat0, stat1, dx,
// dgain, dbias.
using Arrays = std::vector<Array>;

// FNV-1a over all elements.
inline unsigned long long hash_of(const Arrays &arrays) {
  unsigned long long hash = 0xcbf29ce484222325;
  for (const Array &array : arrays) {
    for (size_t i = array.offset; i < array.bytes.size(); ++i) {
      hash = (hash ^ array.bytes[i]) * 0x100000001b3;
    }
  }
  return hash;
}

inline bool is_batch(int op) { return op >= PANORM_BATCH_NORM; }

inline bool is_backward(int op) {
  return op == PANORM_RMS_NORM_BACKWARD || op == PANORM_LAYER_NORM_BACKWARD ||
         op == PANORM_BATCH_NORM_BACKWARD;
}

struct Call {
  int op, x_type, y_type;
  long long rows, groups, width, span;
  long long padding;  // elements between rows
  int misalignment;   // of every array, in elements
  int in_place;       // 1, 2: the output is the first, the second array; 0: it is its own
  int absent;         // bit i: the i-th array is null
  int options;
  double epsilon, gain_offset;
  int values;  // the class of x and what has its shape
  unsigned long long seed;

  bool batch() const { return is_batch(op); }
  bool backward() const { return is_backward(op); }
  long long stride() const { return groups * width + padding; }

  // What divides the sum of squares.
  double divisor() const { return (double)(batch() ? rows : span); }

  bool tensor(int index) const {
    return index == 0 || (index == 1 && (backward() || !batch())) || index == (backward() ? 5 : 4);
  }

  bool writes(int index) const {
    if (in_place == index + 1 || index == (backward() ? 5 : 4)) return true;
    if (index == 6 && op == PANORM_RMS_NORM) return y_type == PANORM_I8;
    if (index > 4) return op != PANORM_BATCH_NORM_INFERENCE;
    return index == 1 && !backward() && (options & PANORM_AUX_ADD || op == PANORM_BATCH_NORM);
  }

  // Statistics and gradients as they come with rows of such values, not only those of most.
  bool far() const { return seed & 1; }

  // Gain and bias are of x's class, or forward of that instead of x, in part of the calls.
  int parameter_values() const { return seed & 2 ? values : kNormal; }
  int x_values() const { return !backward() && (seed & 3) == 3 ? kNormal : values; }

  // Makes it what most callers send, which goes the ways that are made for speed.
  void make_usual();

  // Leaves of a forward call what a kernel for one row can be told.
  void make_one_row();

  // Of a forward call, a residual that is not added, and the statistics of one row but the scale.
  void drop_unused();

  // What a kernel is given, and its run; the outputs' gaps and beginnings are a pattern.
  Arrays arrays() const;
  int run(const void *kernel, Arrays &a) const;
  int run_one_row(const void *kernel, Arrays &a) const;

  // Whether a run changed an input, or a byte between or before the rows.
  bool wrote_elsewhere(Arrays before, const Arrays &after) const;
};

// Everything of a call but its operator and shape, from any source of numbers below a bound.
template <class Numbers>
Call draw(int op, int x_type, int y_type, long long rows, long long groups, long long width,
          Numbers &random) {
  constexpr double epsilons[] = {1e-5, 0, 1e-12, 0.1, 1}, gain_offsets[] = {0, 1, -0.5};
  constexpr int aux[] = {PANORM_AUX_NONE, PANORM_AUX_ADD, PANORM_AUX_GATE};
  Call c = {};
  c.op = op, c.x_type = x_type, c.y_type = y_type;
  c.rows = rows, c.groups = c.batch() ? 1 : groups, c.width = width;
  bool rms = op == PANORM_RMS_NORM || op == PANORM_RMS_NORM_BACKWARD;
  c.span = rms && random.below(3) == 0 ? 1 + random.below(width) : width;
  c.padding = random.below(2) ? random.below(20) : 0;
  c.misalignment = random.below(2) ? random.below(17) : 0;
  c.options = random.below(2) ? PANORM_GAIN_F32 : 0;
  if (!c.batch()) c.options |= random.below(3) | random.below(4) * PANORM_GAIN_SHARED;
  if (!c.batch() && !c.backward()) {
    c.options |= aux[random.below(3)] | (random.below(4) == 0 ? PANORM_ROUND_BEFORE_GAIN : 0);
  }
  if (random.below(4) == 0) {  // half of them are of as large a batch as can be
    int others = random.below(256);
    c.options |= (others < 128 ? others : 255) * PANORM_PARTS;
  }
  c.epsilon = epsilons[random.below(5)];
  c.gain_offset = gain_offsets[random.below(3)];
  c.values = random.below(kValueClasses);
  // Only what may be null, and each seldom enough that some calls have everything.
  int optional = c.backward() ? 1 << 2 | 7 << 5 : 3 << 2 | 3 << 5;
  if (op == PANORM_RMS_NORM_BACKWARD) optional |= 1 << 4;
  if (op == PANORM_BATCH_NORM) optional |= 1 << 1;
  if (op == PANORM_BATCH_NORM_INFERENCE) optional &= ~(3 << 5);
  if (y_type == PANORM_I8) optional &= ~(1 << 6);
  for (int i = 0; i < 8; ++i) c.absent |= (random.below(4) == 0) << i;
  c.absent &= optional;
  if (!c.backward() && c.op != PANORM_BATCH_NORM &&
      !(c.options & (PANORM_AUX_ADD | PANORM_AUX_GATE))) {
    c.absent |= 1 << 1;
  }
  if (x_type == y_type) c.in_place = random.below(c.backward() ? 6 : 4);
  if (c.in_place > (c.backward() ? 2 : 1)) c.in_place = 0;
  if (c.in_place) c.absent |= 1 << (c.backward() ? 5 : 4);
  c.seed = random.below(1 << 30);
  return c;
}

inline Arrays Call::arrays() const {
  Arrays a(backward() ? 8 : 7);
  int statistic = x_type == PANORM_F64 ? PANORM_F64 : PANORM_F32;
  int parameter = options & PANORM_GAIN_F32 ? PANORM_F32 : x_type;
  auto fill = [&](int index, int type, long long lines, long long length, long long distance,
                  int value_class) {
    if (absent >> index & 1) return;
    Format f = format_of(type);
    Array &array = a[index];
    array.type = type;
    array.offset = misalignment * f.size;
    array.bytes.assign(array.offset + ((lines - 1) * distance + length) * f.size, 0x55);
    if (value_class == kUntouched) return;
    Random random = {seed * 8 + index};
    for (long long line = 0; line < lines; ++line) {
      for (long long i = 0; i < length; ++i) {
        unsigned long long bits = element(f, value_class, random.next());
        std::memcpy(&array.bytes[array.offset + (line * distance + i) * f.size], &bits, f.size);
      }
    }
  };
  auto tensor = [&](int index, int type, int value_class) {
    fill(index, type, rows, groups * width, stride(), value_class);
  };
  auto vector = [&](int index, int type, long long length, int value_class) {
    fill(index, type, 1, length, length, value_class);
  };
  int layout = options & PANORM_GAIN_PER_ROW;
  long long parameters = layout == PANORM_GAIN_PER_COLUMN  ? groups * width
                         : layout == PANORM_GAIN_SHARED    ? width
                         : layout == PANORM_GAIN_PER_GROUP ? groups
                                                           : rows;
  long long statistics = batch() ? width : rows * groups;
  if (backward()) {
    int inverse = far() ? kAnyPositive : kPositive, mean = far() ? kAnyExponent : kNormal;
    tensor(0, y_type, far() ? values : kNormal);
    tensor(1, x_type, x_values());
    vector(2, parameter, parameters, parameter_values());
    vector(3, statistic, statistics, op == PANORM_RMS_NORM_BACKWARD ? inverse : mean);
    vector(4, statistic, statistics, inverse);
    tensor(5, x_type, kUntouched);
    vector(6, statistic, parameters, kUntouched);
    vector(7, statistic, parameters, kUntouched);
  } else {
    bool given = op == PANORM_BATCH_NORM_INFERENCE;
    tensor(0, x_type, x_values());
    if (batch()) {
      vector(1, statistic, width, kUntouched);
    } else {
      tensor(1, x_type, x_values());
    }
    vector(2, parameter, parameters, parameter_values());
    vector(3, parameter, parameters, parameter_values());
    tensor(4, y_type, kUntouched);
    vector(5, statistic, statistics, given ? kNormal : kUntouched);
    vector(6, statistic, statistics, given ? kPositive : kUntouched);
  }
  return a;
}

inline int Call::run(const void *kernel, Arrays &a) const {
  void *in_place_output = in_place ? a[in_place - 1].data() : nullptr;
  int status;
  if (backward()) {
    status = panorm_backward(kernel, a[0].data(), a[1].data(), a[2].data(), a[3].data(),
                             a[4].data(), in_place ? in_place_output : a[5].data(), a[6].data(),
                             a[7].data(), rows, groups, width, span, stride(), stride(), stride(),
                             epsilon, gain_offset, divisor(), options);
  } else {
    status = panorm_forward(kernel, a[0].data(), a[1].data(), a[2].data(), a[3].data(),
                            in_place ? in_place_output : a[4].data(), a[5].data(), a[6].data(),
                            rows, groups, width, span, stride(), stride(), stride(), epsilon,
                            gain_offset, divisor(), options);
  }
  for (Array &array : a) array.drop_payloads();
  return status;
}

inline void Call::make_usual() {
  if (batch()) return;
  options &=
      (PANORM_ALL_OPTIONS & -PANORM_PARTS) | PANORM_GAIN_SHARED | (backward() ? 0 : PANORM_AUX_ADD);
  gain_offset = 0;
  absent &= ~(1 << 2);
  if (backward()) return;
  absent = op == PANORM_RMS_NORM ? absent | 1 << 3 : absent & ~(1 << 3);
  drop_unused();
}

inline void Call::make_one_row() {
  rows = groups = 1;
  options &= PANORM_AUX_ADD;
  gain_offset = 0;
  drop_unused();
}

inline void Call::drop_unused() {
  if (!(options & PANORM_AUX_ADD)) absent |= 1 << 1;
  if (rows == 1) absent |= y_type == PANORM_I8 ? 1 << 5 : 3 << 5;
}

inline int Call::run_one_row(const void *kernel, Arrays &a) const {
  void *y = in_place ? a[in_place - 1].data() : a[4].data();
  int status = panorm_forward_row(kernel, a[0].data(), a[2].data(), y, a[3].data(), a[1].data(),
                                  width, span, a[6].data(), epsilon, divisor());
  for (Array &array : a) array.drop_payloads();
  return status;
}

inline bool Call::wrote_elsewhere(Arrays before, const Arrays &after) const {
  for (size_t index = 0; index < before.size(); ++index) {
    Array &array = before[index];
    array.drop_payloads();
    if (writes((int)index) && array.data()) {
      int size = format_of(array.type).size;
      size_t row = tensor((int)index) ? groups * width * size : array.bytes.size() - array.offset;
      for (size_t i = array.offset; i < array.bytes.size(); i += stride() * size) {
        std::memcpy(&array.bytes[i], &after[index].bytes[i], row);
        if (!tensor((int)index)) break;
      }
    }
    if (!(array == after[index])) return true;
  }
  return false;
}

}  // namespace panorm_tests

#endif
