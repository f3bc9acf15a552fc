// What panorm.h says is refused.
#include <algorithm>

#include "call.h"
#include "doctest/doctest.h"

namespace {

using namespace panorm_tests;

bool is_layer(int op) { return op == PANORM_LAYER_NORM || op == PANORM_LAYER_NORM_BACKWARD; }
bool reads_statistics(int op) { return is_backward(op) || op == PANORM_BATCH_NORM_INFERENCE; }

// Arguments of a call of any kernel, right as they are, over 2 rows of 2 groups of 4 columns, or
// one row in the usual form, which goes another way.
struct Arguments {
  float inputs[16] = {1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8};
  float outputs[6][16];
  const void *x = inputs, *dy = inputs, *gain = inputs, *bias = nullptr;
  void *aux = nullptr;
  void *y = outputs[0], *dx = outputs[1], *dgain = outputs[2], *dbias = outputs[3];
  void *stat0 = outputs[4], *stat1 = outputs[5];
  long long rows = 2, groups = 2, width = 4, span = 4;
  int options = 0;

  explicit Arguments(int op = PANORM_RMS_NORM, int y_type = PANORM_F32, bool usual_row = false) {
    if (usual_row || is_batch(op)) groups = 1;
    if (usual_row) {
      rows = 1;
      if (is_layer(op)) bias = inputs;
      if (!reads_statistics(op)) stat0 = nullptr;
      if (!reads_statistics(op) && y_type != PANORM_I8) stat1 = nullptr;
    }
    for (auto &output : outputs) std::fill_n(output, 16, 7.f);
  }

  Arguments(const Arguments &) = delete;  // they hold their own addresses

  bool untouched() const {
    for (auto &output : outputs) {
      if (!std::all_of(output, output + 16, [](float e) { return e == 7; })) return false;
    }
    return true;
  }

  int forward(const void *kernel) {
    return panorm_forward(kernel, x, aux, gain, bias, y, stat0, stat1, rows, groups, width, span, 8,
                          8, 8, 1e-5, 0, 4, options);
  }

  int backward(const void *kernel) {
    return panorm_backward(kernel, dy, x, gain, stat0, stat1, dx, dgain, dbias, rows, groups, width,
                           span, 8, 8, 8, 1e-5, 0, 4, options);
  }

  int one_row(const void *kernel) {
    return panorm_forward_row(kernel, x, gain, y, bias, aux, width, span, stat1, 1e-5, 4);
  }
};

// How a right call goes wrong, and which it makes wrong.
struct Fault {
  const char *name;
  void (*make)(Arguments &);
  bool (*refused)(int op, int y_type);
};

bool always(int, int) { return true; }

const Fault kFaults[] = {
    {"no x", [](Arguments &a) { a.x = nullptr; }, always},
    {"no y", [](Arguments &a) { a.y = nullptr; }, [](int op, int) { return !is_backward(op); }},
    {"no dy", [](Arguments &a) { a.dy = nullptr; }, [](int op, int) { return is_backward(op); }},
    {"no first statistic", [](Arguments &a) { a.stat0 = nullptr; },
     [](int op, int) { return reads_statistics(op); }},
    {"no second statistic", [](Arguments &a) { a.stat1 = nullptr; },
     [](int op, int y_type) {
       return y_type == PANORM_I8 || (reads_statistics(op) && op != PANORM_RMS_NORM_BACKWARD);
     }},
    {"rows -1", [](Arguments &a) { a.rows = -1; }, always},
    {"groups -1", [](Arguments &a) { a.groups = -1; }, always},
    {"groups 2", [](Arguments &a) { a.groups = 2; }, [](int op, int) { return is_batch(op); }},
    {"width -1", [](Arguments &a) { a.width = -1; }, always},
    {"width and span -1", [](Arguments &a) { a.width = a.span = -1; }, always},
    {"span 0", [](Arguments &a) { a.span = 0; }, [](int op, int) { return !is_batch(op); }},
    {"span 5", [](Arguments &a) { a.span = 5; }, [](int op, int) { return !is_batch(op); }},
    {"span 3", [](Arguments &a) { a.span = 3; }, [](int op, int) { return is_layer(op); }},
    {"gradients added to", [](Arguments &a) { a.options = PANORM_ADD_GRADIENTS; },
     [](int op, int) { return !is_backward(op) || is_batch(op); }},
    {"an unknown option", [](Arguments &a) { a.options = 1 << 20; }, always},
    {"0 parts", [](Arguments &a) { a.options = -PANORM_PARTS; }, always},
    {"two kinds of epsilon",
     [](Arguments &a) { a.options = PANORM_EPSILON_OUTSIDE | PANORM_EPSILON_FLOOR; }, always},
    {"epsilon outside", [](Arguments &a) { a.options = PANORM_EPSILON_OUTSIDE; },
     [](int op, int) { return is_batch(op); }},
    {"a shared gain", [](Arguments &a) { a.options = PANORM_GAIN_SHARED; },
     [](int op, int) { return is_batch(op); }},
    {"no residual", [](Arguments &a) { a.options = PANORM_AUX_ADD; }, always},
    {"no gate", [](Arguments &a) { a.options = PANORM_AUX_GATE; }, always},
    {"residual and gate",
     [](Arguments &a) {
       a.options = PANORM_AUX_ADD | PANORM_AUX_GATE;
       a.aux = a.outputs[3];
     },
     always},
    {"a gate, backward",
     [](Arguments &a) {
       a.options = PANORM_AUX_GATE;
       a.aux = a.outputs[3];
     },
     [](int op, int) { return is_backward(op) || is_batch(op); }},
};

TEST_CASE("bad arguments are refused, and nothing is written") {
  for (int backend : kBackends) {
    if (!tested(backend)) continue;
    for (int op = PANORM_RMS_NORM; op <= PANORM_BATCH_NORM_BACKWARD; ++op) {
      for (int y_type : {PANORM_F32, PANORM_I8}) {
        const void *kernel = panorm_kernel(op, PANORM_F32, y_type, backend);
        if (!kernel) continue;
        auto call = [&](Arguments &a, const void *k) {
          return is_backward(op) ? a.backward(k) : a.forward(k);
        };
        for (bool usual_row : {false, true}) {
          CAPTURE(backend);
          CAPTURE(op);
          CAPTURE(y_type);
          CAPTURE(usual_row);
          for (const Fault &fault : kFaults) {
            Arguments a(op, y_type, usual_row);
            CAPTURE(fault.name);
            fault.make(a);
            if (!fault.refused(op, y_type)) {
              CHECK(call(a, kernel) == PANORM_OK);
              continue;
            }
            CHECK(call(a, kernel) == PANORM_BAD_ARGUMENT);
            CHECK(a.untouched());
          }
          Arguments without_kernel(op, y_type, usual_row), good(op, y_type, usual_row);
          CHECK(call(without_kernel, nullptr) == PANORM_BAD_ARGUMENT);
          CHECK(call(good, kernel) == PANORM_OK);
          CHECK_FALSE(good.untouched());
        }
      }
    }
  }
}

TEST_CASE("calls without rows, groups or columns write nothing") {
  const struct {
    const char *name;
    void (*make)(Arguments &);
  } kinds[] = {{"rows", [](Arguments &a) { a.rows = 0; }},
               {"groups", [](Arguments &a) { a.groups = 0; }},
               {"columns", [](Arguments &a) { a.width = a.span = 0; }}};
  for (int backend : kBackends) {
    if (!tested(backend)) continue;
    for (int op = PANORM_RMS_NORM; op <= PANORM_BATCH_NORM_BACKWARD; ++op) {
      for (int y_type : {PANORM_F32, PANORM_I8}) {
        const void *kernel = panorm_kernel(op, PANORM_F32, y_type, backend);
        if (!kernel) continue;
        for (auto &kind : kinds) {
          for (bool usual_row : {false, true}) {
            for (int layout = 0; layout <= PANORM_GAIN_PER_ROW; layout += PANORM_GAIN_SHARED) {
              Arguments a(op, y_type, usual_row);
              kind.make(a);
              a.options = layout;
              if (is_batch(op) && (layout || a.groups != 1)) continue;
              CAPTURE(backend);
              CAPTURE(op);
              CAPTURE(y_type);
              CAPTURE(kind.name);
              CAPTURE(usual_row);
              CAPTURE(layout);
              CHECK((is_backward(op) ? a.backward(kernel) : a.forward(kernel)) == PANORM_OK);
              CHECK(a.untouched());
            }
          }
        }
      }
    }
  }
}

TEST_CASE("a residual that no option names is ignored") {
  for (int backend : kBackends) {
    if (!tested(backend)) continue;
    for (int op : {PANORM_RMS_NORM, PANORM_LAYER_NORM}) {
      const void *kernel = panorm_kernel(op, PANORM_F32, PANORM_F32, backend);
      for (bool usual_row : {false, true}) {
        Arguments with(op, PANORM_F32, usual_row), without(op, PANORM_F32, usual_row);
        with.aux = with.outputs[3];
        CHECK(with.forward(kernel) == PANORM_OK);
        CHECK(without.forward(kernel) == PANORM_OK);
        CHECK(std::equal(&with.outputs[0][0], &with.outputs[0][0] + 6 * 16, without.outputs[0]));
      }
    }
  }
}

TEST_CASE("a kernel for one row refuses the same") {
  for (int backend : kBackends) {
    if (!tested(backend)) continue;
    for (int op : {PANORM_RMS_NORM, PANORM_LAYER_NORM}) {
      const void *kernel = panorm_kernel(op | PANORM_ONE_ROW, PANORM_F32, PANORM_F32, backend);
      auto status = [&](const void *k, void (*make)(Arguments &)) {
        Arguments a(op, PANORM_F32, true);
        make(a);
        int result = a.one_row(k);
        CHECK(a.untouched() == (result != PANORM_OK || a.width == 0));
        return result;
      };
      auto no_fault = [](Arguments &) {};
      CHECK(status(nullptr, no_fault) == PANORM_BAD_ARGUMENT);
      CHECK(status(kernel, [](Arguments &a) { a.x = nullptr; }) == PANORM_BAD_ARGUMENT);
      CHECK(status(kernel, [](Arguments &a) { a.y = nullptr; }) == PANORM_BAD_ARGUMENT);
      CHECK(status(kernel, [](Arguments &a) { a.width = a.span = -1; }) == PANORM_BAD_ARGUMENT);
      CHECK(status(kernel, [](Arguments &a) { a.span = 0; }) == PANORM_BAD_ARGUMENT);
      CHECK(status(kernel, [](Arguments &a) { a.span = 5; }) == PANORM_BAD_ARGUMENT);
      int partial = op == PANORM_LAYER_NORM ? PANORM_BAD_ARGUMENT : PANORM_OK;
      CHECK(status(kernel, [](Arguments &a) { a.span = 3; }) == partial);
      CHECK(status(kernel, [](Arguments &a) { a.width = a.span = 0; }) == PANORM_OK);
      CHECK(status(kernel, no_fault) == PANORM_OK);
    }
    const void *to_bytes =
        panorm_kernel(PANORM_RMS_NORM | PANORM_ONE_ROW, PANORM_F32, PANORM_I8, backend);
    Arguments a;
    a.stat1 = nullptr;
    CHECK(a.one_row(to_bytes) == PANORM_BAD_ARGUMENT);
    CHECK(a.untouched());
  }
}

TEST_CASE("a kernel for one row touches no scale unless it quantizes") {
  const void *kernel =
      panorm_kernel(PANORM_LAYER_NORM | PANORM_ONE_ROW, PANORM_F32, PANORM_F32, PANORM_SCALAR);
  Arguments a;
  CHECK(a.one_row(kernel) == PANORM_OK);
  CHECK(a.outputs[5][0] == 7);
}

TEST_CASE("what does not exist has no kernel") {
  CHECK(panorm_kernel(99, PANORM_F32, PANORM_F32, PANORM_SCALAR) == nullptr);
  for (int type : {-1, 5, 9, 99, 1 << 29}) {
    CHECK(panorm_kernel(PANORM_RMS_NORM, type, PANORM_F32, PANORM_SCALAR) == nullptr);
    CHECK(panorm_kernel(PANORM_RMS_NORM, PANORM_F32, type, PANORM_SCALAR) == nullptr);
  }
  CHECK(panorm_kernel(PANORM_RMS_NORM, PANORM_F32, PANORM_F32, 99) == nullptr);
  CHECK(panorm_kernel(PANORM_RMS_NORM_BACKWARD, PANORM_F32, PANORM_I8, PANORM_SCALAR) == nullptr);
  CHECK(panorm_kernel(PANORM_BATCH_NORM | PANORM_ONE_ROW, PANORM_F32, PANORM_F32, PANORM_SCALAR) ==
        nullptr);
  CHECK(panorm_abi == PANORM_ABI);
}

}  // namespace
