// Numbers at which every backend would be wrong together: comparing them says nothing.
#include <algorithm>
#include <vector>

#include "call.h"
#include "doctest/doctest.h"

namespace {

using namespace panorm_tests;

// All backends take these rows again in one unit, and share the bounds, so comparing them says
// nothing about either.
TEST_CASE("a row that f32 cannot hold has the bits of f64, rounded once") {
  const struct {
    float x, gain;
    double gain_offset, divisor;
  } rows[] = {{0x1.ffe95cp-49f, 1, 0, 1},  // the square is just below 2^-96
              {1, 1, 0, 1e-60},            // a divisor that is 0 in f32
              {1, 0, 1e-46, 1e60}};        // so is this offset, but not its product
  const float dy[] = {1e30f, 3e30f, -2e30f}, huge[] = {3e38f, 1e38f, 2e38f};
  const double wide_dy[] = {dy[0], dy[1], dy[2]}, wide_huge[] = {huge[0], huge[1], huge[2]};
  const float inverse = 0x1.8p-128f;  // below 2^-126
  const double wide_inverse = inverse;
  for (int backend : kBackends) {
    if (!tested(backend)) continue;
    CAPTURE(backend);
    for (auto row : rows) {
      auto run = [&](int type, const void *x, const void *gain, void *y) {
        REQUIRE(panorm_forward(panorm_kernel(PANORM_RMS_NORM, type, type, backend), x, nullptr,
                               gain, nullptr, y, nullptr, nullptr, 1, 1, 1, 1, 1, 1, 1, 0,
                               row.gain_offset, row.divisor, 0) == PANORM_OK);
      };
      const double wide_x = row.x, wide_gain = row.gain;
      float y;
      double wide_y;
      run(PANORM_F32, &row.x, &row.gain, &y);
      run(PANORM_F64, &wide_x, &wide_gain, &wide_y);
      CAPTURE(row.x);
      CAPTURE(row.divisor);
      CHECK(y == (float)wide_y);
    }
    auto run = [&](int type, const void *dy, const void *x, const void *stat0, void *dx) {
      REQUIRE(panorm_backward(panorm_kernel(PANORM_RMS_NORM_BACKWARD, type, type, backend), dy, x,
                              nullptr, stat0, nullptr, dx, nullptr, nullptr, 1, 1, 3, 3, 3, 3, 3, 0,
                              0, 3, 0) == PANORM_OK);
    };
    float dx[3];
    double wide_dx[3];
    run(PANORM_F32, dy, huge, &inverse, dx);
    run(PANORM_F64, wide_dy, wide_huge, &wide_inverse, wide_dx);
    for (int i = 0; i < 3; ++i) CHECK(dx[i] == (float)wide_dx[i]);
  }
}

// Rounded to f32 first, what is just above the middle between two numbers would be the middle.
TEST_CASE("a row that f32 cannot hold is rounded to 16 bits once") {
  const struct {
    int y_type;
    float gain;
    unsigned short above;
  } types[] = {{PANORM_F16, 1 + 0x1p-11f, 0x3c01}, {PANORM_BF16, 1 + 0x1p-8f, 0x3f81}};
  const float x = 0x1p-100f, bias = 0x1p-40f;
  for (int backend : kBackends) {
    if (!tested(backend)) continue;
    for (auto type : types) {
      if (left_out(PANORM_F32, type.y_type)) continue;
      unsigned short y = 0;
      REQUIRE(panorm_forward(panorm_kernel(PANORM_RMS_NORM, PANORM_F32, type.y_type, backend), &x,
                             nullptr, &type.gain, &bias, &y, nullptr, nullptr, 1, 1, 1, 1, 1, 1, 1,
                             0, 0, 1, 0) == PANORM_OK);
      CAPTURE(backend);
      CAPTURE(type.y_type);
      CHECK(y == type.above);
    }
  }
}

// Where epsilon is all that keeps the root away from zero, the inverse does not depend on x: not on
// what rounding leaves of the root, nor on whether the row was taken in f32 or in f64, in which
// 1 / epsilon is once the larger of the two and once the smaller.
TEST_CASE("the gradient through an inverse that is epsilon's is 0") {
  const float dy[] = {1, 0};  // so the second column has only that gradient
  for (int backend : kBackends) {
    if (!tested(backend)) continue;
    for (int option : {PANORM_EPSILON_OUTSIDE, PANORM_EPSILON_FLOOR}) {
      for (double epsilon : {1e-3, 3e-5}) {
        for (float element : {0x1p-40f, 0x1p-50f}) {  // in f32, in f64
          const float x[] = {element, element};
          float y[2], dx[2], inverse;
          REQUIRE(panorm_forward(panorm_kernel(PANORM_RMS_NORM, PANORM_F32, PANORM_F32, backend), x,
                                 nullptr, nullptr, nullptr, y, &inverse, nullptr, 1, 1, 2, 2, 2, 2,
                                 2, epsilon, 0, 2, option) == PANORM_OK);
          REQUIRE(panorm_backward(
                      panorm_kernel(PANORM_RMS_NORM_BACKWARD, PANORM_F32, PANORM_F32, backend), dy,
                      x, nullptr, &inverse, nullptr, dx, nullptr, nullptr, 1, 1, 2, 2, 2, 2, 2,
                      epsilon, 0, 2, option) == PANORM_OK);
          CAPTURE(backend);
          CAPTURE(option);
          CAPTURE(epsilon);
          CAPTURE(element);
          CHECK(dx[1] == 0);
        }
      }
    }
  }
}

// Rounding to bf16 by addition would carry the ones of such a payload into the sign.
TEST_CASE("a NaN stays one, whatever its payload") {
  const unsigned gain = 0x7fffffff;
  const std::vector<unsigned short> x(67, 0x3f80);
  for (int backend : kBackends) {
    if (!tested(backend)) continue;
    std::vector<unsigned short> y(x.size());
    const long long width = (long long)x.size();
    REQUIRE(panorm_forward(panorm_kernel(PANORM_RMS_NORM, PANORM_BF16, PANORM_BF16, backend),
                           x.data(), nullptr, &gain, nullptr, y.data(), nullptr, nullptr, 1, 1,
                           width, width, width, width, width, 0, 0, (double)width,
                           PANORM_GAIN_F32 | PANORM_GAIN_PER_ROW) == PANORM_OK);
    CAPTURE(backend);
    CHECK(std::all_of(y.begin(), y.end(), [](int bits) { return (bits & 0x7fff) > 0x7f80; }));
  }
}

// There the vectors hold zeros. Times the inverse of equal numbers and a small epsilon, what they
// are off the mean may be infinite, and infinity times the zeros of dy a NaN.
TEST_CASE("columns behind a row are in no sum") {
  const float dy[] = {1, 2, 3}, x[] = {1e30f, 1e30f, 1e30f}, mean = 1e30f, inverse = 1e19f;
  for (int backend : kBackends) {
    if (!tested(backend)) continue;
    float dgain = 1;
    REQUIRE(
        panorm_backward(panorm_kernel(PANORM_LAYER_NORM_BACKWARD, PANORM_F32, PANORM_F32, backend),
                        dy, x, nullptr, &mean, &inverse, nullptr, &dgain, nullptr, 1, 1, 3, 3, 3, 3,
                        3, 1e-38, 0, 3, PANORM_GAIN_PER_ROW) == PANORM_OK);
    CAPTURE(backend);
    CHECK(dgain == 0);
  }
}

TEST_CASE("the divisor need be neither the width nor an integer") {
  const float dy[] = {1, 2, 4}, x[] = {1, 1, 1}, mean = 1, inverse = 1;
  for (int backend : kBackends) {
    if (!tested(backend)) continue;
    float dx[3];
    REQUIRE(
        panorm_backward(panorm_kernel(PANORM_LAYER_NORM_BACKWARD, PANORM_F32, PANORM_F32, backend),
                        dy, x, nullptr, &mean, &inverse, dx, nullptr, nullptr, 1, 1, 3, 3, 3, 3, 3,
                        0, 0, 2.5, 0) == PANORM_OK);
    CAPTURE(backend);
    for (int i = 0; i < 3; ++i) CHECK(dx[i] == dy[i] - 7 / 2.5f);
  }
}

TEST_CASE("an offset that would be 0 in f32 is added to a gain of f64") {
  const double dy = 1, x = 1, inverse = 1, tiny = 1e-60, zero = 0;
  for (int backend : kBackends) {
    if (!tested(backend)) continue;
    double dx = 0;
    REQUIRE(
        panorm_backward(panorm_kernel(PANORM_RMS_NORM_BACKWARD, PANORM_F64, PANORM_F64, backend),
                        &dy, &x, &zero, &inverse, nullptr, &dx, nullptr, nullptr, 1, 1, 1, 1, 1, 1,
                        1, 0, tiny, 2, 0) == PANORM_OK);
    CAPTURE(backend);
    CHECK(dx == tiny / 2);  // of a divisor of 2, half of it is along x
  }
}

}  // namespace
