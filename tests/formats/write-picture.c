/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * write-picture jpeg WIDTH HEIGHT CHANNELS [-q QUALITY] [-s HxV] [-p] [-r ROWS]
 * write-picture tiff WIDTH HEIGHT CHANNELS [-q QUALITY] [-s HxV] [-t]
 * write-picture exr  WIDTH HEIGHT CHANNELS [-c COMPRESSION] [-h]
 *
 * Samples on standard input, WIDTH x HEIGHT x CHANNELS of 8 bits (floats for exr), become
 * a file on standard output that kiln does not write itself, by the formats' libraries.
 * JPEG: -s how many times finer luma is sampled than chroma, -p progressive, -r rows
 * between restarts; four channels are CMYK.  TIFF: packed by JPEG, as YCbCr with -s and as
 * RGB without, -t in tiles.  OpenEXR: -c as a file has it, -h halves.
 */
#include <OpenEXR/openexr.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>
#include <unistd.h>

#include <jpeglib.h>

#define TILE 64

struct picture {
	unsigned width, height, channels;
	int quality, across, down, progressive, restart, tiles, compression, half;
	char *samples;
	size_t line; /* bytes of a row */
};

static void
die(const char *why)
{
	fprintf(stderr, "write-picture: %s\n", why);
	exit(1);
}

static void
write_jpeg(const struct picture *p)
{
	static const J_COLOR_SPACE spaces[] = {
		[1] = JCS_GRAYSCALE, [3] = JCS_RGB, [4] = JCS_CMYK};
	struct jpeg_compress_struct jpeg;
	struct jpeg_error_mgr manager;
	jpeg.err = jpeg_std_error(&manager); /* exits */
	jpeg_create_compress(&jpeg);
	jpeg_stdio_dest(&jpeg, stdout);
	jpeg.image_width = p->width;
	jpeg.image_height = p->height;
	jpeg.input_components = (int)p->channels;
	jpeg.in_color_space = spaces[p->channels];
	jpeg_set_defaults(&jpeg);
	jpeg_set_quality(&jpeg, p->quality, TRUE);
	if (p->across > 0) {
		jpeg.comp_info[0].h_samp_factor = p->across;
		jpeg.comp_info[0].v_samp_factor = p->down;
	}
	if (p->progressive)
		jpeg_simple_progression(&jpeg);
	jpeg.restart_in_rows = p->restart;
	jpeg_start_compress(&jpeg, TRUE);
	while (jpeg.next_scanline < p->height) {
		JSAMPROW row = (JSAMPROW)p->samples + jpeg.next_scanline * p->line;
		jpeg_write_scanlines(&jpeg, &row, 1);
	}
	jpeg_finish_compress(&jpeg);
	jpeg_destroy_compress(&jpeg);
}

static void
write_tile(TIFF *tiff, const struct picture *p, uint32_t x, uint32_t y)
{
	static uint8_t tile[TILE * TILE * 4];
	memset(tile, 0, sizeof tile);
	for (uint32_t i = 0; i < TILE && y + i < p->height; i++) {
		const uint32_t left = p->width - x;
		memcpy(tile + (size_t)i * TILE * p->channels,
			p->samples + (y + i) * p->line + (size_t)x * p->channels,
			(left < TILE ? left : TILE) * p->channels);
	}
	if (TIFFWriteTile(tiff, tile, x, y, 0, 0) < 0)
		die("a tile cannot be written");
}

static void
write_tiff(const struct picture *p)
{
	char name[] = "/tmp/write-picture.XXXXXX";
	char buffer[4096];
	size_t got;
	int fd = mkstemp(name);
	TIFF *tiff = fd >= 0 ? TIFFFdOpen(fd, name, "w") : NULL;
	if (tiff == NULL)
		die("no temporary file");
	unlink(name);
	const int is_ycbcr = p->across > 0;
	TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, p->width);
	TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, p->height);
	TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 8);
	TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, p->channels);
	TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
	TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_JPEG);
	TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC,
		p->channels == 1 ? PHOTOMETRIC_MINISBLACK
		: is_ycbcr	 ? PHOTOMETRIC_YCBCR
				 : PHOTOMETRIC_RGB);
	TIFFSetField(tiff, TIFFTAG_JPEGQUALITY, p->quality);
	if (is_ycbcr) {
		TIFFSetField(tiff, TIFFTAG_YCBCRSUBSAMPLING, p->across, p->down);
		TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
	}
	if (p->tiles) {
		TIFFSetField(tiff, TIFFTAG_TILEWIDTH, TILE);
		TIFFSetField(tiff, TIFFTAG_TILELENGTH, TILE);
		for (uint32_t y = 0; y < p->height; y += TILE)
			for (uint32_t x = 0; x < p->width; x += TILE)
				write_tile(tiff, p, x, y);
	} else {
		TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, 16);
		for (uint32_t row = 0; row < p->height; row++)
			if (TIFFWriteScanline(tiff, p->samples + row * p->line, row, 0) <
				0)
				die("a row cannot be written");
	}
	if (!TIFFFlush(tiff) || lseek(fd, 0, SEEK_SET) < 0)
		die("the TIFF cannot be written");
	while ((got = (size_t)read(fd, buffer, sizeof buffer)) > 0)
		fwrite(buffer, 1, got, stdout);
	TIFFClose(tiff);
}

static void
check(exr_result_t code)
{
	if (code != EXR_ERR_SUCCESS)
		die(exr_get_default_error_message(code));
}

static int64_t
write_bytes(exr_const_context_t exr, void *context, const void *from, uint64_t length,
	uint64_t offset, exr_stream_error_func_ptr_t report)
{
	(void)exr;
	(void)report;
	if (pwrite(fileno(context), from, length, (off_t)offset) != (ssize_t)length)
		die("the OpenEXR cannot be written");
	return (int64_t)length;
}

/* Standard output must be a file. */
static void
write_exr(const struct picture *p)
{
	static const char *const names[] = {"R", "G", "B", "A"};
	exr_context_initializer_t initial = EXR_DEFAULT_CONTEXT_INITIALIZER;
	exr_encode_pipeline_t pipeline = EXR_ENCODE_PIPELINE_INITIALIZER;
	exr_context_t exr = NULL;
	int part, rows = 0;
	initial.user_data = stdout;
	initial.write_fn = write_bytes;
	check(exr_start_write(&exr, "picture", EXR_WRITE_FILE_DIRECTLY, &initial));
	check(exr_add_part(exr, "picture", EXR_STORAGE_SCANLINE, &part));
	check(exr_initialize_required_attr_simple(exr, part, (int32_t)p->width,
		(int32_t)p->height, (exr_compression_t)p->compression));
	for (unsigned i = 0; i < p->channels; i++)
		check(exr_add_channel(exr, part, names[i],
			p->half ? EXR_PIXEL_HALF : EXR_PIXEL_FLOAT,
			EXR_PERCEPTUALLY_LOGARITHMIC, 1, 1));
	check(exr_write_header(exr));
	check(exr_get_scanlines_per_chunk(exr, part, &rows));
	for (uint32_t row = 0; row < p->height; row += (uint32_t)rows) {
		exr_chunk_info_t chunk;
		check(exr_write_scanline_chunk_info(exr, part, (int)row, &chunk));
		check(row == 0 ? exr_encoding_initialize(exr, part, &chunk, &pipeline)
			       : exr_encoding_update(exr, part, &chunk, &pipeline));
		for (int i = 0; i < pipeline.channel_count; i++) {
			exr_coding_channel_info_t *channel = &pipeline.channels[i];
			unsigned at = 0;
			while (strcmp(channel->channel_name, names[at]) != 0)
				at++;
			channel->encode_from_ptr =
				(const uint8_t *)p->samples + row * p->line + 4 * at;
			channel->user_data_type = EXR_PIXEL_FLOAT;
			channel->user_bytes_per_element = 4;
			channel->user_pixel_stride = (int32_t)(4 * p->channels);
			channel->user_line_stride = (int32_t)p->line;
		}
		if (row == 0)
			check(exr_encoding_choose_default_routines(exr, part, &pipeline));
		check(exr_encoding_run(exr, part, &pipeline));
	}
	check(exr_encoding_destroy(exr, &pipeline));
	check(exr_finish(&exr));
}

static void
read_options(int argc, char **argv, struct picture *p)
{
	int option;
	optind = 5;
	while ((option = getopt(argc, argv, "q:s:pr:tc:h")) != -1)
		if (option == 'q')
			p->quality = atoi(optarg);
		else if (option == 's' &&
			 sscanf(optarg, "%dx%d", &p->across, &p->down) == 2)
			continue;
		else if (option == 'p')
			p->progressive = 1;
		else if (option == 'r')
			p->restart = atoi(optarg);
		else if (option == 't')
			p->tiles = 1;
		else if (option == 'c')
			p->compression = atoi(optarg);
		else if (option == 'h')
			p->half = 1;
		else
			die("see the head of write-picture.c");
}

int
main(int argc, char **argv)
{
	struct picture p = {.quality = 95};
	if (argc < 5)
		die("see the head of write-picture.c");
	p.width = (unsigned)atoi(argv[2]);
	p.height = (unsigned)atoi(argv[3]);
	p.channels = (unsigned)atoi(argv[4]);
	read_options(argc, argv, &p);
	const int is_exr = strcmp(argv[1], "exr") == 0;
	p.line = (size_t)p.width * p.channels * (is_exr ? sizeof(float) : 1);
	p.samples = malloc(p.line * p.height);
	if (p.samples == NULL || fread(p.samples, p.line, p.height, stdin) != p.height)
		die("too few samples on standard input");
	if (is_exr)
		write_exr(&p);
	else if (strcmp(argv[1], "tiff") == 0)
		write_tiff(&p);
	else
		write_jpeg(&p);
	free(p.samples);
	return fflush(stdout) == 0 ? 0 : 1;
}
