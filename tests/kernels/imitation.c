/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/kernels/imitation.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct imitation imitation;
/* For what it met: a GPU serves several threads at once. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Before a room stands its size. */
enum { LEAD = 64 };

static int
imitation_open(uint32_t number, char *why, size_t size)
{
	if (!imitation.fail_open && number == 0)
		return 0;
	snprintf(why, size, "there is no GPU %u in this imitation", number);
	return -ENODEV;
}

static int
imitation_enter(uint32_t number)
{
	return number == 0 ? 0 : -EIO;
}

static int
imitation_vacant(size_t *bytes)
{
	pthread_mutex_lock(&lock);
	*bytes = imitation.memory > 0 ? imitation.memory - imitation.reserved
				      : (size_t)1 << 40;
	pthread_mutex_unlock(&lock);
	return 0;
}

/* Whether there is room; if so it is taken. */
static int
take(size_t bytes)
{
	pthread_mutex_lock(&lock);
	int granted =
		++imitation.reserves != imitation.fail_reserve &&
		(imitation.memory == 0 || imitation.reserved + bytes <= imitation.memory);
	if (granted) {
		imitation.reserved += bytes;
		imitation.rooms++;
	} else {
		imitation.refusals++;
	}
	if (imitation.most_reserved < imitation.reserved)
		imitation.most_reserved = imitation.reserved;
	pthread_mutex_unlock(&lock);
	return granted;
}

/* Filled with bytes that are no number worth having. */
static int
imitation_reserve(size_t bytes, void **room)
{
	char *made = take(bytes) ? malloc(LEAD + bytes) : NULL;
	if (made == NULL)
		return -ENOMEM;
	memset(made, 0xff, LEAD + bytes);
	memcpy(made, &bytes, sizeof bytes);
	*room = made + LEAD;
	return 0;
}

static void
imitation_release(void *room)
{
	size_t bytes;
	if (room == NULL)
		return;
	memcpy(&bytes, (char *)room - LEAD, sizeof bytes);
	pthread_mutex_lock(&lock);
	imitation.reserved -= bytes;
	imitation.rooms--;
	pthread_mutex_unlock(&lock);
	free((char *)room - LEAD);
}

/* Counts a call; whether it is the one to fail. */
static int
count(uint32_t *calls, uint32_t fails)
{
	pthread_mutex_lock(&lock);
	int rc = ++*calls == fails ? -EIO : 0;
	pthread_mutex_unlock(&lock);
	return rc;
}

static void
count_down(uint32_t *things)
{
	pthread_mutex_lock(&lock);
	--*things;
	pthread_mutex_unlock(&lock);
}

static int
imitation_pin(void *memory, size_t bytes)
{
	(void)memory, (void)bytes;
	if (imitation.no_pins)
		return -ENOMEM;
	return count(&imitation.pinned, 0);
}

static void
imitation_unpin(void *memory)
{
	(void)memory;
	count_down(&imitation.pinned);
}

/* Streams and events are things to be given back: all is over when it was begun. */
static int
imitation_new(void **thing)
{
	*thing = malloc(1);
	return *thing == NULL ? -ENOMEM : count(&imitation.streams, 0);
}

static void
imitation_free(void *thing)
{
	if (thing != NULL)
		count_down(&imitation.streams);
	free(thing);
}

static int
imitation_copy(const struct gpu_rows *rows, void *stream)
{
	(void)stream;
	for (size_t i = 0; i < rows->rows && rows->width > 0; i++)
		memcpy((char *)rows->to + i * rows->to_pitch,
			(const char *)rows->from + i * rows->from_pitch, rows->width);
	return count(&imitation.copies, imitation.fail_copy);
}

static int
imitation_wait(void *stream)
{
	(void)stream;
	return count(&imitation.waits, imitation.fail_wait);
}

static int
imitation_order(void *one, void *other)
{
	(void)one, (void)other;
	return count(&imitation.orders, imitation.fail_order);
}

int
imitation_launch(void)
{
	return count(&imitation.launches, imitation.fail_launch);
}

const struct gpu_device imitation_gpu = {
	.name = "imitation",
	.open = imitation_open,
	.enter = imitation_enter,
	.vacant = imitation_vacant,
	.reserve = imitation_reserve,
	.release = imitation_release,
	.pin = imitation_pin,
	.unpin = imitation_unpin,
	.stream_new = imitation_new,
	.stream_free = imitation_free,
	.copy_in = imitation_copy,
	.copy_out = imitation_copy,
	.wait = imitation_wait,
	.event_new = imitation_new,
	.event_free = imitation_free,
	.record = imitation_order,
	.follow = imitation_order,
	.await = imitation_wait,
};

static unsigned long
setting(const char *settings, const char *name)
{
	const char *found = settings == NULL ? NULL : strstr(settings, name);
	return found == NULL ? 0 : strtoul(found + strlen(name), NULL, 10);
}

void
imitation_behave(const char *settings)
{
	imitation.memory = setting(settings, "memory=");
	imitation.fail_open = (uint32_t)setting(settings, "open=");
	imitation.fail_reserve = (uint32_t)setting(settings, "reserve=");
	imitation.fail_copy = (uint32_t)setting(settings, "copy=");
	imitation.fail_order = (uint32_t)setting(settings, "order=");
	imitation.fail_launch = (uint32_t)setting(settings, "launch=");
	imitation.fail_wait = (uint32_t)setting(settings, "wait=");
	imitation.no_pins = (int)setting(settings, "pinless=");
	imitation.wrong = (int)setting(settings, "wrong=");
}

void
imitation_tell(FILE *to)
{
	fprintf(to,
		"imitation: launches %u waits %u copies %u orders %u reserves %u "
		"refusals %zu peak %zu left %zu rooms %u streams %u pinned %u\n",
		imitation.launches, imitation.waits, imitation.copies, imitation.orders,
		imitation.reserves, imitation.refusals, imitation.most_reserved,
		imitation.reserved, imitation.rooms, imitation.streams, imitation.pinned);
}
