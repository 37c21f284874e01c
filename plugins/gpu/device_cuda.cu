/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of device.h by CUDA, by the run time that is linked in: it looks for the
 * driver when it is first asked, so that loading needs none. */
#include <cuda_runtime.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

extern "C" {
#include "plugins/gpu/device.h"
}

/* What the oldest code in this file is for. */
#define CAPABILITY_LEAST 75

static int
errno_of(cudaError_t error)
{
	if (error == cudaSuccess)
		return 0;
	/* What is not sticky is forgotten with this. */
	cudaGetLastError();
	return error == cudaErrorMemoryAllocation ? -ENOMEM : -EIO;
}

/* The run time's own words do not tell a driver that is too old from none at all. */
static int
refuse(char *why, size_t size, cudaError_t error)
{
	int driver = 0;
	if (error != cudaErrorInsufficientDriver)
		snprintf(why, size, "%s", cudaGetErrorString(error));
	else if (cudaDriverGetVersion(&driver) != cudaSuccess || driver == 0)
		snprintf(why, size, "no CUDA driver is installed");
	else
		snprintf(why, size,
			"the driver is for CUDA %d.%d, older than %d.%d, which this was "
			"built with",
			driver / 1000, driver % 1000 / 10, CUDART_VERSION / 1000,
			CUDART_VERSION % 1000 / 10);
	cudaGetLastError();
	return -ENODEV;
}

static int
device_open(uint32_t number, char *why, size_t size)
{
	int count = 0, major = 0, minor = 0;
	cudaError_t error = cudaGetDeviceCount(&count);
	if (error != cudaSuccess)
		return refuse(why, size, error);
	if (number >= (uint32_t)count) {
		snprintf(why, size, "there is no GPU %u, only %d", (unsigned)number,
			count);
		return -ENODEV;
	}
	error = cudaSetDevice((int)number);
	if (error == cudaSuccess)
		error = cudaDeviceGetAttribute(
			&major, cudaDevAttrComputeCapabilityMajor, (int)number);
	if (error == cudaSuccess)
		error = cudaDeviceGetAttribute(
			&minor, cudaDevAttrComputeCapabilityMinor, (int)number);
	if (error == cudaSuccess && major * 10 + minor < CAPABILITY_LEAST) {
		snprintf(why, size,
			"GPU %u has compute capability %d.%d; 7.5 is the least",
			(unsigned)number, major, minor);
		return -ENODEV;
	}
	/* Whether it really answers. */
	if (error == cudaSuccess)
		error = cudaFree(NULL);
	return error == cudaSuccess ? 0 : refuse(why, size, error);
}

static int
device_enter(uint32_t number)
{
	return errno_of(cudaSetDevice((int)number));
}

static int
device_vacant(size_t *bytes)
{
	size_t all;
	return errno_of(cudaMemGetInfo(bytes, &all));
}

static int
device_reserve(size_t bytes, void **room)
{
	return errno_of(cudaMalloc(room, bytes > 0 ? bytes : 1));
}

static void
device_release(void *room)
{
	cudaFree(room);
}

static int
device_pin(void *memory, size_t bytes)
{
	return errno_of(cudaHostRegister(memory, bytes, cudaHostRegisterDefault));
}

static void
device_unpin(void *memory)
{
	cudaHostUnregister(memory);
}

static int
device_stream_new(void **stream)
{
	cudaStream_t made;
	int rc = errno_of(cudaStreamCreateWithFlags(&made, cudaStreamNonBlocking));
	if (rc == 0)
		*stream = made;
	return rc;
}

static void
device_stream_free(void *stream)
{
	if (stream == NULL)
		return;
	cudaStreamSynchronize((cudaStream_t)stream);
	cudaStreamDestroy((cudaStream_t)stream);
}

static int
copy(const struct gpu_rows *rows, cudaMemcpyKind kind, void *stream)
{
	if (rows->width == 0 || rows->rows == 0)
		return 0;
	return errno_of(cudaMemcpy2DAsync(rows->to, rows->to_pitch, rows->from,
		rows->from_pitch, rows->width, rows->rows, kind, (cudaStream_t)stream));
}

static int
device_copy_in(const struct gpu_rows *rows, void *stream)
{
	return copy(rows, cudaMemcpyHostToDevice, stream);
}

static int
device_copy_out(const struct gpu_rows *rows, void *stream)
{
	return copy(rows, cudaMemcpyDeviceToHost, stream);
}

static int
device_wait(void *stream)
{
	return errno_of(cudaStreamSynchronize((cudaStream_t)stream));
}

/* Whoever awaits it sleeps: the processors have pictures to encode. */
static int
device_event_new(void **event)
{
	cudaEvent_t made;
	int rc = errno_of(cudaEventCreateWithFlags(
		&made, cudaEventBlockingSync | cudaEventDisableTiming));
	if (rc == 0)
		*event = made;
	return rc;
}

static void
device_event_free(void *event)
{
	if (event != NULL)
		cudaEventDestroy((cudaEvent_t)event);
}

static int
device_record(void *event, void *stream)
{
	return errno_of(cudaEventRecord((cudaEvent_t)event, (cudaStream_t)stream));
}

static int
device_follow(void *stream, void *event)
{
	return errno_of(
		cudaStreamWaitEvent((cudaStream_t)stream, (cudaEvent_t)event, 0));
}

static int
device_await(void *event)
{
	return errno_of(cudaEventSynchronize((cudaEvent_t)event));
}

extern "C" const struct gpu_device gpu_device_cuda = {
	"cuda",
	device_open,
	device_enter,
	device_vacant,
	device_reserve,
	device_release,
	device_pin,
	device_unpin,
	device_stream_new,
	device_stream_free,
	device_copy_in,
	device_copy_out,
	device_wait,
	device_event_new,
	device_event_free,
	device_record,
	device_follow,
	device_await,
};
