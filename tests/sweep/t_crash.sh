#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: no power cut loses or halves anything: all states that tests/long/crash-sweep.py
# can think of are looked at, but kilnd is started from a few of them only.
KILN_SWEEP_STARTS=8 exec "${top_srcdir:-.}/tests/long/crash-sweep.py"
