// All kernels, over the F32 and F64 that the including backend has defined.
// Each builds on the one before.
#include "kernels/block.h"
#include "kernels/math.h"
#include "kernels/arguments.h"
#include "kernels/memory.h"
#include "kernels/norm.h"
#include "kernels/forward.h"
#include "kernels/backward.h"
#include "kernels/batch_norm.h"
#include "kernels/lookup.h"
