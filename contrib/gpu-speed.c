/* SPDX-License-Identifier: BSD-2-Clause */
#include "contrib/gpu-speed.h"

#include <cuda_runtime_api.h>
#include <stddef.h>
#include <time.h>

double
gpu_speed_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double
gpu_speed_of_memory(void)
{
	size_t bytes = (size_t)512 << 20;
	void *from = NULL, *to = NULL;
	double begin = 0;
	int times = 40;
	if (cudaMalloc(&from, bytes) != cudaSuccess ||
		cudaMalloc(&to, bytes) != cudaSuccess) {
		cudaFree(from);
		return 0;
	}
	for (int warm = 0; warm < 2; warm++) {
		begin = gpu_speed_now();
		for (int i = 0; i < times; i++)
			cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, NULL);
		cudaDeviceSynchronize();
	}
	double seconds = gpu_speed_now() - begin;
	cudaFree(from);
	cudaFree(to);
	return 2.0 * (double)bytes * times / seconds;
}
