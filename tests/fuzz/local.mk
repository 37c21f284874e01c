# tests/fuzz: one harness a reader, linked with replay.c everywhere and with clang's
# libFuzzer where --enable-fuzzers asked for it.
# A small buffer, so that short inputs pass through it in pieces.
fuzz_flags = -DFMT_BYTES_BUFFER=160 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -g -O1
fuzz_model = tests/fuzz/fuzz_model.h tests/fuzz/fuzz_model.c
fuzz_formats = \
	plugins/formats/err.c plugins/formats/bytes.c plugins/formats/text.c \
	plugins/formats/vmd.c plugins/formats/vmd_baked.c plugins/formats/vmd_names.c plugins/formats/vmd_sort.c \
	plugins/formats/large.c \
	plugins/formats/vmd_tracks.c plugins/formats/vpd.c plugins/formats/model.c \
	plugins/formats/model_check.c plugins/formats/pmx.c plugins/formats/pmd.c

check_PROGRAMS += \
	tests/fuzz/replay-vmd tests/fuzz/replay-pmx tests/fuzz/replay-pmd tests/fuzz/make-pmd \
	tests/fuzz/replay-vpd tests/fuzz/replay-archive
tests_fuzz_replay_archive_SOURCES = \
	tests/fuzz/fuzz.h tests/fuzz/replay.c tests/fuzz/fuzz_archive.c
tests_fuzz_replay_archive_LDADD = $(worker_libs)
tests_fuzz_make_pmd_SOURCES = tests/fuzz/make-pmd.c
tests_fuzz_replay_vmd_SOURCES = tests/fuzz/fuzz.h tests/fuzz/replay.c tests/fuzz/fuzz_vmd.c
tests_fuzz_replay_vmd_LDADD = $(libfmt_libs)
tests_fuzz_replay_vpd_SOURCES = tests/fuzz/fuzz.h tests/fuzz/replay.c tests/fuzz/fuzz_vpd.c
tests_fuzz_replay_vpd_LDADD = $(libfmt_libs)
tests_fuzz_replay_pmx_SOURCES = \
	tests/fuzz/fuzz.h tests/fuzz/replay.c tests/fuzz/fuzz_pmx.c $(fuzz_model)
tests_fuzz_replay_pmx_LDADD = $(libfmt_libs) -lm
tests_fuzz_replay_pmd_SOURCES = \
	tests/fuzz/fuzz.h tests/fuzz/replay.c tests/fuzz/fuzz_pmd.c $(fuzz_model)
tests_fuzz_replay_pmd_LDADD = $(libfmt_libs) -lm
# The links: kilnd's ears for clients and keepers, and the bodies that all read.
check_PROGRAMS += \
	tests/fuzz/replay-control tests/fuzz/replay-keeper tests/fuzz/replay-bodies
fuzz_replay = tests/fuzz/fuzz.h tests/fuzz/replay.c
fuzz_frames = tests/fuzz/frames.h tests/fuzz/frames.c
tests_fuzz_replay_control_SOURCES = $(fuzz_replay) $(fuzz_frames) tests/fuzz/fuzz_control.c
tests_fuzz_replay_control_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
tests_fuzz_replay_control_LDADD = libkdserve.a $(base_libs) $(EV_LIBS)
tests_fuzz_replay_keeper_SOURCES = $(fuzz_replay) $(fuzz_frames) tests/fuzz/fuzz_keeper.c
tests_fuzz_replay_keeper_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
tests_fuzz_replay_keeper_LDADD = libkdwork.a libkdmanifest.a $(base_libs) $(EV_LIBS)
tests_fuzz_replay_bodies_SOURCES = $(fuzz_replay) tests/fuzz/fuzz_bodies.c
tests_fuzz_replay_bodies_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
tests_fuzz_replay_bodies_LDADD = $(worker_libs)
# The keeper between its client and its engine, which are the harness.
check_PROGRAMS += tests/fuzz/replay-worker
tests_fuzz_replay_worker_SOURCES = $(fuzz_replay) $(fuzz_frames) tests/fuzz/fuzz_worker.c
tests_fuzz_replay_worker_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
tests_fuzz_replay_worker_LDADD = $(worker_libs)
# An engine that listens to its keeper.
check_PROGRAMS += tests/fuzz/replay-host
tests_fuzz_replay_host_SOURCES = $(fuzz_replay) $(fuzz_frames) tests/fuzz/fuzz_host.c
tests_fuzz_replay_host_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
tests_fuzz_replay_host_LDADD = $(worker_libs)
tap_scripts += tests/fuzz/t_links.sh
EXTRA_DIST += \
	tests/fuzz/seeds/control.txt tests/fuzz/seeds/keeper.txt tests/fuzz/seeds/manifest.txt \
	tests/fuzz/seeds/worker-1.txt tests/fuzz/seeds/worker-2.txt \
	tests/fuzz/seeds/worker-3.txt tests/fuzz/seeds/worker-4.txt \
	tests/fuzz/seeds/worker-5.txt tests/fuzz/seeds/host-1.txt \
	tests/fuzz/seeds/host-2.txt tests/fuzz/seeds/host-3.txt tests/fuzz/worker.dict \
	tests/fuzz/seeds/result.txt tests/fuzz/seeds/units.txt tests/fuzz/seeds/params.txt
tap_scripts += tests/fuzz/t_mutate.sh
dist_check_SCRIPTS += tests/fuzz/run-fuzz.sh
EXTRA_DIST += tests/fuzz/pose.vpd tests/fuzz/make-archives.py \
	tests/fuzz/make-pictures.py

if FUZZERS
# The readers are compiled again here, with the fuzzer's eyes in them.
noinst_PROGRAMS += \
	tests/fuzz/fuzz-vmd tests/fuzz/fuzz-pmx tests/fuzz/fuzz-pmd \
	tests/fuzz/planted-vmd tests/fuzz/planted-pmx tests/fuzz/planted-pmd \
	tests/fuzz/fuzz-vpd tests/fuzz/planted-vpd \
	tests/fuzz/fuzz-archive tests/fuzz/planted-archive
endif
tests_fuzz_fuzz_archive_SOURCES = tests/fuzz/fuzz_archive.c \
	daemon/worker/unpack.c daemon/worker/unpack_library.c daemon/worker/unpack_name.c \
	daemon/base/name.c daemon/base/err.c
tests_fuzz_fuzz_archive_CPPFLAGS = $(AM_CPPFLAGS) $(ARCHIVE_CFLAGS)
tests_fuzz_fuzz_archive_CFLAGS = $(AM_CFLAGS) $(fuzz_flags)
tests_fuzz_planted_archive_SOURCES = $(tests_fuzz_fuzz_archive_SOURCES)
tests_fuzz_planted_archive_CPPFLAGS = $(AM_CPPFLAGS) $(ARCHIVE_CFLAGS) -DKILN_PLANTED_BUG
tests_fuzz_planted_archive_CFLAGS = $(AM_CFLAGS) $(fuzz_flags)
tests_fuzz_fuzz_vmd_SOURCES = tests/fuzz/fuzz_vmd.c $(fuzz_formats)
nodist_tests_fuzz_fuzz_vmd_SOURCES = plugins/formats/text_tables.c
tests_fuzz_fuzz_vmd_CFLAGS = $(AM_CFLAGS) $(fuzz_flags)
tests_fuzz_fuzz_vmd_LDADD = -lm
tests_fuzz_fuzz_pmx_SOURCES = tests/fuzz/fuzz_pmx.c $(fuzz_model) $(fuzz_formats)
nodist_tests_fuzz_fuzz_pmx_SOURCES = plugins/formats/text_tables.c
tests_fuzz_fuzz_pmx_CFLAGS = $(AM_CFLAGS) $(fuzz_flags)
tests_fuzz_fuzz_pmx_LDADD = -lm
tests_fuzz_fuzz_pmd_SOURCES = tests/fuzz/fuzz_pmd.c $(fuzz_model) $(fuzz_formats)
nodist_tests_fuzz_fuzz_pmd_SOURCES = plugins/formats/text_tables.c
tests_fuzz_fuzz_pmd_CFLAGS = $(AM_CFLAGS) $(fuzz_flags)
tests_fuzz_fuzz_pmd_LDADD = -lm
tests_fuzz_planted_vmd_SOURCES = $(tests_fuzz_fuzz_vmd_SOURCES)
nodist_tests_fuzz_planted_vmd_SOURCES = plugins/formats/text_tables.c
tests_fuzz_planted_vmd_CPPFLAGS = $(AM_CPPFLAGS) -DKILN_PLANTED_BUG
tests_fuzz_planted_vmd_CFLAGS = $(AM_CFLAGS) $(fuzz_flags)
tests_fuzz_planted_vmd_LDADD = -lm
tests_fuzz_planted_pmx_SOURCES = $(tests_fuzz_fuzz_pmx_SOURCES)
nodist_tests_fuzz_planted_pmx_SOURCES = plugins/formats/text_tables.c
tests_fuzz_planted_pmx_CPPFLAGS = $(AM_CPPFLAGS) -DKILN_PLANTED_BUG
tests_fuzz_planted_pmx_CFLAGS = $(AM_CFLAGS) $(fuzz_flags)
tests_fuzz_planted_pmx_LDADD = -lm
tests_fuzz_planted_pmd_SOURCES = $(tests_fuzz_fuzz_pmd_SOURCES)
nodist_tests_fuzz_planted_pmd_SOURCES = plugins/formats/text_tables.c
tests_fuzz_planted_pmd_CPPFLAGS = $(AM_CPPFLAGS) -DKILN_PLANTED_BUG
tests_fuzz_planted_pmd_CFLAGS = $(AM_CFLAGS) $(fuzz_flags)
tests_fuzz_planted_pmd_LDADD = -lm
tests_fuzz_fuzz_vpd_SOURCES = tests/fuzz/fuzz_vpd.c $(fuzz_formats)
nodist_tests_fuzz_fuzz_vpd_SOURCES = plugins/formats/text_tables.c
tests_fuzz_fuzz_vpd_CFLAGS = $(AM_CFLAGS) $(fuzz_flags)
tests_fuzz_fuzz_vpd_LDADD = -lm
tests_fuzz_planted_vpd_SOURCES = $(tests_fuzz_fuzz_vpd_SOURCES)
nodist_tests_fuzz_planted_vpd_SOURCES = plugins/formats/text_tables.c
tests_fuzz_planted_vpd_CPPFLAGS = $(AM_CPPFLAGS) -DKILN_PLANTED_BUG
tests_fuzz_planted_vpd_CFLAGS = $(AM_CFLAGS) $(fuzz_flags)
tests_fuzz_planted_vpd_LDADD = -lm

# The same links with the fuzzer's eyes in what reads them.
if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz-control tests/fuzz/fuzz-keeper tests/fuzz/fuzz-bodies \
	tests/fuzz/fuzz-worker tests/fuzz/fuzz-host
endif
fuzz_base = daemon/base/err.c daemon/base/file.c daemon/base/hash.c daemon/base/log.c \
	daemon/base/name.c daemon/base/wire.c
fuzz_base_libs = $(JANSSON_LIBS) $(CRYPTO_LIBS) $(SYSTEMD_LIBS) $(EV_LIBS)
tests_fuzz_fuzz_control_SOURCES = tests/fuzz/fuzz_control.c $(fuzz_frames) $(fuzz_base) \
	daemon/serve/control.c daemon/serve/control_client.c daemon/serve/control_connect.c
tests_fuzz_fuzz_control_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
tests_fuzz_fuzz_control_CFLAGS = $(AM_CFLAGS) $(fuzz_flags)
tests_fuzz_fuzz_control_LDADD = $(fuzz_base_libs)
tests_fuzz_fuzz_keeper_SOURCES = tests/fuzz/fuzz_keeper.c $(fuzz_frames) $(fuzz_base) \
	daemon/work/pool.c daemon/work/pool_keeper.c daemon/work/pool_message.c \
	daemon/work/reading.c $(libkdmanifest_a_SOURCES)
tests_fuzz_fuzz_keeper_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
tests_fuzz_fuzz_keeper_CFLAGS = $(AM_CFLAGS) $(fuzz_flags)
tests_fuzz_fuzz_keeper_LDADD = $(fuzz_base_libs)
# Without launch.c, which is the harness's.
tests_fuzz_fuzz_worker_SOURCES = tests/fuzz/fuzz_worker.c $(fuzz_frames) $(fuzz_base) \
	daemon/base/series.c daemon/base/stems.c $(libkdpublish_a_SOURCES) \
	$(worker_keeper_sources) $(libkdmanifest_a_SOURCES)
tests_fuzz_fuzz_worker_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
tests_fuzz_fuzz_worker_CFLAGS = $(AM_CFLAGS) $(fuzz_flags)
tests_fuzz_fuzz_worker_LDADD = $(fuzz_base_libs) $(SECCOMP_LIBS) -ldl -lpthread
# Without gate.c and sandbox.c, which are the harness's.
tests_fuzz_fuzz_host_SOURCES = tests/fuzz/fuzz_host.c $(fuzz_frames) $(fuzz_base) \
	daemon/worker/engine.c daemon/worker/host.c daemon/worker/manifest_fields.c \
	daemon/worker/values.c
tests_fuzz_fuzz_host_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
tests_fuzz_fuzz_host_CFLAGS = $(AM_CFLAGS) $(fuzz_flags)
tests_fuzz_fuzz_host_LDADD = $(fuzz_base_libs) -lpthread
tests_fuzz_fuzz_bodies_SOURCES = tests/fuzz/fuzz_bodies.c $(fuzz_base) \
	$(libkdmanifest_a_SOURCES) daemon/worker/values.c
tests_fuzz_fuzz_bodies_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
tests_fuzz_fuzz_bodies_CFLAGS = $(AM_CFLAGS) $(fuzz_flags)
tests_fuzz_fuzz_bodies_LDADD = $(fuzz_base_libs)

# What reads pictures.  The codecs' libraries are not the fuzzer's.
check_PROGRAMS += \
	tests/fuzz/replay-image tests/fuzz/replay-exif tests/fuzz/replay-gpano
tests_fuzz_replay_image_SOURCES = tests/fuzz/fuzz.h tests/fuzz/replay.c tests/fuzz/fuzz_image.c
tests_fuzz_replay_image_LDADD = $(libfmtimage_libs)
tests_fuzz_replay_exif_SOURCES = tests/fuzz/fuzz.h tests/fuzz/replay.c tests/fuzz/fuzz_exif.c
tests_fuzz_replay_exif_LDADD = $(libfmtimage_libs)
tests_fuzz_replay_gpano_SOURCES = tests/fuzz/fuzz.h tests/fuzz/replay.c tests/fuzz/fuzz_gpano.c
tests_fuzz_replay_gpano_LDADD = $(libfmtimage_libs)
tap_scripts += tests/fuzz/t_pictures.sh
EXTRA_DIST += tests/fuzz/seeds/halved.jpg tests/fuzz/seeds/across.jpg \
	tests/fuzz/seeds/lzw.tif tests/fuzz/seeds/tiles.tif \
	tests/fuzz/seeds/zip.exr tests/fuzz/seeds/tiles.exr tests/fuzz/seeds/gpano.xmp

if FUZZERS
noinst_PROGRAMS += \
	tests/fuzz/fuzz-image tests/fuzz/fuzz-exif tests/fuzz/fuzz-gpano \
	tests/fuzz/planted-image tests/fuzz/planted-exif tests/fuzz/planted-gpano
endif
fuzz_pictures = plugins/formats/err.c plugins/formats/exif.c plugins/formats/gpano.c \
	plugins/formats/image.c plugins/formats/image_whole.c plugins/formats/image_jpeg.c \
	plugins/formats/image_jpeg_write.c plugins/formats/jpeg_trap.c \
	plugins/formats/image_png.c plugins/formats/image_png_write.c plugins/formats/png_rows.c \
	plugins/formats/deflate.c plugins/formats/deflate_codes.c \
	plugins/formats/image_turn.c \
	plugins/formats/image_tiff.c plugins/formats/image_tiff_file.c \
	plugins/formats/image_tiff_rows.c plugins/formats/image_tiff_write.c \
	plugins/formats/image_exr.c plugins/formats/image_exr_write.c
fuzz_pictures_libs = $(JPEG_LIBS) $(TIFF_LIBS) $(EXR_LIBS) $(DEFLATE_LIBS) $(SPNG_LIBS) \
	$(ZLIB_LIBS) -lm
fuzz_pictures_cppflags = $(AM_CPPFLAGS) $(JPEG_CFLAGS) $(TIFF_CFLAGS) $(EXR_CFLAGS) \
	$(DEFLATE_CFLAGS) $(SPNG_CFLAGS)
tests_fuzz_fuzz_image_SOURCES = tests/fuzz/fuzz_image.c $(fuzz_pictures)
tests_fuzz_fuzz_image_CPPFLAGS = $(fuzz_pictures_cppflags)
tests_fuzz_fuzz_image_CFLAGS = $(AM_CFLAGS) $(fuzz_flags)
tests_fuzz_fuzz_image_LDADD = $(fuzz_pictures_libs)
tests_fuzz_planted_image_SOURCES = tests/fuzz/fuzz_image.c $(fuzz_pictures)
tests_fuzz_planted_image_CPPFLAGS = $(fuzz_pictures_cppflags) -DKILN_PLANTED_BUG
tests_fuzz_planted_image_CFLAGS = $(AM_CFLAGS) $(fuzz_flags)
tests_fuzz_planted_image_LDADD = $(fuzz_pictures_libs)
tests_fuzz_fuzz_exif_SOURCES = tests/fuzz/fuzz_exif.c $(fuzz_pictures)
tests_fuzz_fuzz_exif_CPPFLAGS = $(fuzz_pictures_cppflags)
tests_fuzz_fuzz_exif_CFLAGS = $(AM_CFLAGS) $(fuzz_flags)
tests_fuzz_fuzz_exif_LDADD = $(fuzz_pictures_libs)
tests_fuzz_planted_exif_SOURCES = tests/fuzz/fuzz_exif.c $(fuzz_pictures)
tests_fuzz_planted_exif_CPPFLAGS = $(fuzz_pictures_cppflags) -DKILN_PLANTED_BUG
tests_fuzz_planted_exif_CFLAGS = $(AM_CFLAGS) $(fuzz_flags)
tests_fuzz_planted_exif_LDADD = $(fuzz_pictures_libs)
tests_fuzz_fuzz_gpano_SOURCES = tests/fuzz/fuzz_gpano.c $(fuzz_pictures)
tests_fuzz_fuzz_gpano_CPPFLAGS = $(fuzz_pictures_cppflags)
tests_fuzz_fuzz_gpano_CFLAGS = $(AM_CFLAGS) $(fuzz_flags)
tests_fuzz_fuzz_gpano_LDADD = $(fuzz_pictures_libs)
tests_fuzz_planted_gpano_SOURCES = tests/fuzz/fuzz_gpano.c $(fuzz_pictures)
tests_fuzz_planted_gpano_CPPFLAGS = $(fuzz_pictures_cppflags) -DKILN_PLANTED_BUG
tests_fuzz_planted_gpano_CFLAGS = $(AM_CFLAGS) $(fuzz_flags)
tests_fuzz_planted_gpano_LDADD = $(fuzz_pictures_libs)
