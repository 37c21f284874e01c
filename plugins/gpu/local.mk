# What plugins ask of a GPU: whoever uses this links $(KILN_CUDA_LIBS) too.
cuda_sources += plugins/gpu/device_cuda.cu
gpu_objects =
if HAVE_CUDA
gpu_objects += plugins/gpu/device_cuda.o
endif
cuda_objects += $(gpu_objects)
$(gpu_objects): plugins/gpu/device.h Makefile
