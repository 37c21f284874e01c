dnl SPDX-License-Identifier: BSD-2-Clause
dnl What configure.ac says in words of its own.

dnl KILN_NEED_PKG(VAR, MODULES, DEBIAN-PACKAGE): a library without which kiln is not built.
AC_DEFUN([KILN_NEED_PKG], [
	PKG_CHECK_MODULES([$1], [$2], [],
		[AC_MSG_ERROR([$2 is missing; on Debian: apt-get install $3])])
])

dnl KILN_TRY_FLAG(VAR, FLAG, [LANGUAGE]): appends FLAG to VAR where the compiler knows it.
AC_DEFUN([KILN_TRY_FLAG], [
	AC_MSG_CHECKING([whether $CC takes $2])
	kiln_save_flags=$CFLAGS
	CFLAGS="$CFLAGS -Werror $2"
	AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])],
		[AC_MSG_RESULT([yes]); $1="$$1 $2"],
		[AC_MSG_RESULT([no])])
	CFLAGS=$kiln_save_flags
])

dnl Warnings and hardening: kept apart from CFLAGS, which belong to the user.
AC_DEFUN([KILN_FLAGS], [
	AC_ARG_ENABLE([werror],
		[AS_HELP_STRING([--enable-werror], [make warnings errors (CI)])],
		[], [enable_werror=no])
	KILN_WARN="-Wall -Wextra -Wshadow -Wvla -Wwrite-strings -Wpointer-arith"
	KILN_CWARN="-Wstrict-prototypes -Wmissing-prototypes"
	AS_IF([test "$enable_werror" = yes], [KILN_WARN="$KILN_WARN -Werror"])
	KILN_HARDEN=
	KILN_TRY_FLAG([KILN_HARDEN], [-fstack-protector-strong])
	AC_SUBST([KILN_WARN])
	AC_SUBST([KILN_CWARN])
	AC_SUBST([KILN_HARDEN])
])

dnl Flags of the SIMD variants' sets; none where the compiler makes code for another
dnl machine, and the files then hold nothing.
AC_DEFUN([KILN_SIMD], [
	KILN_AVX2=
	KILN_AVX512=
	KILN_TRY_FLAG([KILN_AVX2], [-mavx2 -mfma])
	KILN_TRY_FLAG([KILN_AVX512], [-mavx512f -mavx512bw -mavx512dq -mavx512vl])
	AC_SUBST([KILN_AVX2])
	AC_SUBST([KILN_AVX512])
])

dnl --with-cuda=auto|yes|no: whether nvcc compiles the *_cuda.cu variants, for each GPU from
dnl sm_75 on that it knows and as PTX of the newest, which drivers translate for later ones.
dnl Never fused, and rounded as the standard says: the variants give the plain C's bits.
dnl The run time is the static one, which looks for a driver when it is first asked.
AC_DEFUN([KILN_CUDA], [
	AC_ARG_WITH([cuda],
		[AS_HELP_STRING([--with-cuda=auto|yes|no], [CUDA variants of the kernels])],
		[], [with_cuda=auto])
	have_cuda=no
	AS_IF([test "$with_cuda" != no], [
		AC_PATH_PROG([NVCC], [nvcc], [], [$PATH:/usr/local/cuda/bin])
		AS_IF([test -n "$NVCC"], [have_cuda=yes])
		AS_IF([test "$with_cuda" = yes && test "$have_cuda" = no],
			[AC_MSG_ERROR([--with-cuda=yes, but nvcc was not found])])
	])
	AM_CONDITIONAL([HAVE_CUDA], [test "$have_cuda" = yes])
	AS_IF([test "$have_cuda" = yes], [
		AC_MSG_CHECKING([which GPUs $NVCC compiles for])
		kiln_known=" `$NVCC --list-gpu-code | tr '\n' ' '` "
		KILN_NVCCFLAGS= kiln_newest= kiln_named=
		for kiln_arch in 75 80 86 89 90 100 120; do
			AS_CASE(["$kiln_known"], [*" sm_$kiln_arch "*], [
				KILN_NVCCFLAGS="$KILN_NVCCFLAGS -gencode arch=compute_$kiln_arch,code=sm_$kiln_arch"
				kiln_named="$kiln_named sm_$kiln_arch"
				kiln_newest=$kiln_arch])
		done
		AC_MSG_RESULT([$kiln_named])
		AS_IF([test -z "$kiln_newest"],
			[AC_MSG_ERROR([$NVCC compiles for no GPU from sm_75 to sm_120; --with-cuda=no does without])])
		KILN_NVCCFLAGS="$KILN_NVCCFLAGS -gencode arch=compute_$kiln_newest,code=compute_$kiln_newest"
		KILN_NVCCFLAGS="$KILN_NVCCFLAGS -std=c++17 -O2 -fmad=false -prec-div=true -prec-sqrt=true -ftz=false"
		KILN_NVCCFLAGS="$KILN_NVCCFLAGS -Xcompiler=-fPIC,-fvisibility=hidden,-ffp-contract=off,-fno-exceptions,-fno-threadsafe-statics,-Wall,-Wextra"
		AS_IF([test "$enable_werror" = yes],
			[KILN_NVCCFLAGS="$KILN_NVCCFLAGS -Werror all-warnings -Xcompiler=-Werror"])
		kiln_cuda_lib=`dirname "$NVCC"`/../lib64
		KILN_CUDA_LIBS="-L$kiln_cuda_lib -lcudart_static -lrt -ldl -lpthread"
		KILN_CUDA_CPPFLAGS=-DKILN_CUDA])
	AC_SUBST([KILN_NVCCFLAGS])
	AC_SUBST([KILN_CUDA_LIBS])
	AC_SUBST([KILN_CUDA_CPPFLAGS])
])

dnl --enable-sanitizers=address,undefined|thread
AC_DEFUN([KILN_SANITIZERS], [
	AC_ARG_ENABLE([sanitizers],
		[AS_HELP_STRING([--enable-sanitizers=LIST],
			[address,undefined or thread])],
		[], [enable_sanitizers=no])
	AS_CASE([$enable_sanitizers],
		[no], [kiln_sanitizers=none; KILN_SANITIZE=],
		[yes], [kiln_sanitizers=address,undefined],
		[kiln_sanitizers=$enable_sanitizers])
	AS_IF([test "$kiln_sanitizers" != none],
		[KILN_SANITIZE="-fsanitize=$kiln_sanitizers -fno-sanitize-recover=all -fno-omit-frame-pointer -g"
		 AC_DEFINE([KILN_SANITIZED], [1], [built with a sanitizer, whose run time needs room that the sandbox would not leave])])
	AC_SUBST([KILN_SANITIZE])
	dnl The one C++ file is linked by the C compiler, which brings no run time for this.
	AS_IF([test "$kiln_sanitizers" != none], [KILN_CXX_SANITIZE="-fno-sanitize=vptr"])
	AC_SUBST([KILN_CXX_SANITIZE])
	dnl clang with a sanitizer leaves its run time's symbols to the program.
	AS_IF([test "$kiln_sanitizers" = none], [KILN_ZDEFS=-Wl,-z,defs], [KILN_ZDEFS=])
	AC_SUBST([KILN_ZDEFS])
])

dnl --enable-fuzzers: libFuzzer programs (clang only).
AC_DEFUN([KILN_FUZZERS], [
	AC_ARG_ENABLE([fuzzers],
		[AS_HELP_STRING([--enable-fuzzers], [build tests/fuzz with clang's libFuzzer])],
		[], [enable_fuzzers=no])
	AM_CONDITIONAL([FUZZERS], [test "$enable_fuzzers" = yes])
])
