// A stand-in for libcuda.so.1 that keeps "device" memory in host memory and writes what it is asked to $STUB_LOG.
// $STUB_MODE makes it fail the way a driver does: none, old, chip, oom, pinned, graph, jit, broken.
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int Status;
enum { SUCCESS = 0, OUT_OF_MEMORY = 2, NO_DEVICE = 100, INVALID_PTX = 218, UNKNOWN = 999 };

static int mode(const char* name) {
  const char* set = getenv("STUB_MODE");
  return set && !strcmp(set, name);
}

static void note(const char* format, ...) {
  FILE* log = fopen(getenv("STUB_LOG"), "a");
  va_list arguments;
  va_start(arguments, format);
  vfprintf(log, format, arguments);
  va_end(arguments);
  fputc('\n', log);
  fclose(log);
}

Status cuInit(unsigned flags) { return mode("none") ? NO_DEVICE : mode("broken") ? UNKNOWN : flags; }
Status cuDriverGetVersion(int* v) { *v = mode("old") ? 11040 : 13000; return SUCCESS; }
Status cuDeviceGetCount(int* n) { *n = 2; return SUCCESS; }
Status cuDeviceGet(int* device, int ordinal) { *device = 40 + ordinal; return SUCCESS; }
Status cuDeviceGetName(char* name, int size, int device) { snprintf(name, size, "Stub %d", device); return SUCCESS; }
Status cuDeviceTotalMem_v2(size_t* bytes, int device) { *bytes = (size_t)80 << 30; return SUCCESS; }
Status cuDeviceGetAttribute(int* value, int attribute, int device) {
  *value = attribute == 75 ? (mode("chip") ? 7 : 9) : attribute == 76 ? (mode("chip") ? 5 : 0) : attribute == 16 ? 132
      : attribute == 81 ? 228 << 10 : -1;
  return SUCCESS;
}
Status cuGetErrorName(int error, const char** name) {
  *name = error == INVALID_PTX ? "CUDA_ERROR_INVALID_PTX" : "CUDA_ERROR_UNKNOWN";
  return SUCCESS;
}
Status cuGetErrorString(int error, const char** text) {
  *text = error == INVALID_PTX ? "a PTX JIT compilation failed" : "unknown error";
  return SUCCESS;
}

Status cuDevicePrimaryCtxRetain(uint64_t* context, int device) { *context = 100 + device; return SUCCESS; }
Status cuDevicePrimaryCtxRelease_v2(int device) { note("release %d", device); return SUCCESS; }
Status cuCtxSetCurrent(uint64_t context) { note("context %d", (int)context); return SUCCESS; }
Status cuStreamCreate(uint64_t* stream, unsigned flags) { *stream = 7000 + flags; return SUCCESS; }
Status cuStreamSynchronize(uint64_t stream) { return stream == 7001 ? SUCCESS : UNKNOWN; }
Status cuStreamDestroy_v2(uint64_t stream) { return stream == 7001 ? SUCCESS : UNKNOWN; }

Status cuMemGetInfo_v2(size_t* available, size_t* total) { *available = (size_t)1 << 30; *total = (size_t)80 << 30; return SUCCESS; }
Status cuMemAlloc_v2(uint64_t* address, size_t bytes) {
  if (mode("oom") && bytes > 1 << 24) return OUT_OF_MEMORY;
  *address = (uint64_t)aligned_alloc(256, (bytes + 255) / 256 * 256);
  return SUCCESS;
}
Status cuMemFree_v2(uint64_t address) { free((void*)address); return SUCCESS; }
Status cuMemHostAlloc(uint64_t* address, size_t bytes, unsigned flags) { return mode("pinned") ? OUT_OF_MEMORY : cuMemAlloc_v2(address, bytes); }
Status cuMemFreeHost(uint64_t address) { return cuMemFree_v2(address); }
Status cuMemcpyHtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, uint64_t stream) { memcpy((void*)to, (void*)from, bytes); return cuStreamSynchronize(stream); }
Status cuMemcpyDtoHAsync_v2(uint64_t to, uint64_t from, size_t bytes, uint64_t stream) { return cuMemcpyHtoDAsync_v2(to, from, bytes, stream); }
Status cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, uint64_t stream) { return cuMemcpyHtoDAsync_v2(to, from, bytes, stream); }
Status cuMemsetD8Async(uint64_t to, unsigned char value, size_t bytes, uint64_t stream) { memset((void*)to, value, bytes); return cuStreamSynchronize(stream); }

Status cuModuleLoadDataEx(uint64_t* module, const char* image, unsigned count, const int* options, void** values) {
  *module = 55;
  if (mode("jit")) {
    for (unsigned i = 0; i + 1 < count; i++)
      if (options[i] == 5 && options[i + 1] == 6) snprintf(values[i], (size_t)values[i + 1], "ptxas fatal: line 12");
    return INVALID_PTX;
  }
  note("module of %d bytes %.40s", (int)strlen(image), image);
  return SUCCESS;
}
Status cuModuleUnload(uint64_t module) { return module == 55 ? SUCCESS : UNKNOWN; }
Status cuModuleGetFunction(uint64_t* function, uint64_t module, const char* name) { *function = (uint64_t)strdup(name); return SUCCESS; }

Status cuFuncSetAttribute(uint64_t function, int attribute, int value) {
  note("function %s attribute %d=%d", (char*)function, attribute, value);
  return SUCCESS;
}

struct Attribute { int id; char padding[4]; int value; char rest[60]; };   // CUlaunchAttribute
struct Config {                                                            // CUlaunchConfig
  unsigned grid[3], block[3], shared;
  uint64_t stream;
  struct Attribute* attributes;
  unsigned count;
};
Status cuLaunchKernelEx(const struct Config* c, uint64_t function, void** parameters, void** extra) {
  int packed = !parameters && extra[0] == (void*)1 && extra[2] == (void*)2 && !extra[4];
  note("launch %s grid %u %u %u block %u %u %u shared %u stream %d attribute %d=%d parameters %d", (char*)function,
      c->grid[0], c->grid[1], c->grid[2], c->block[0], c->block[1], c->block[2], c->shared, (int)c->stream,
      c->count ? c->attributes[0].id : 0, c->count ? c->attributes[0].value : 0, packed ? (int)*(size_t*)extra[3] : -1);
  return SUCCESS;
}

Status cuEventCreate(uint64_t* event, unsigned flags) { *event = 9; return SUCCESS; }
Status cuEventRecord(uint64_t event, uint64_t stream) { return event == 9 ? SUCCESS : UNKNOWN; }
Status cuEventSynchronize(uint64_t event) { return event == 9 ? SUCCESS : UNKNOWN; }
Status cuEventElapsedTime(float* milliseconds, uint64_t from, uint64_t to) { *milliseconds = 1.5f; return SUCCESS; }
Status cuEventDestroy_v2(uint64_t event) { return event == 9 ? SUCCESS : UNKNOWN; }
Status cuStreamBeginCapture_v2(uint64_t stream, int how) { note("capture mode %d", how); return cuStreamSynchronize(stream); }
Status cuStreamEndCapture(uint64_t stream, uint64_t* graph) { *graph = 31; note("captured"); return cuStreamSynchronize(stream); }
Status cuGraphInstantiateWithFlags(uint64_t* executable, uint64_t graph, uint64_t flags) {
  *executable = graph + 1;
  return mode("graph") ? OUT_OF_MEMORY : flags;
}
Status cuGraphLaunch(uint64_t executable, uint64_t stream) { note("graph %d", (int)executable); return cuStreamSynchronize(stream); }
Status cuGraphDestroy(uint64_t graph) { return graph == 31 ? SUCCESS : UNKNOWN; }
Status cuGraphExecDestroy(uint64_t executable) { note("graph end %d", (int)executable); return SUCCESS; }
