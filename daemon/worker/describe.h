/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * describe.h - what a plugin offers, as the JSON of rules/catalog.h on stdout.
 */
#ifndef KD_DESCRIBE_H
#define KD_DESCRIBE_H

/* `kiln-worker --describe FILE.so`.  Confines this very process before it loads the
 * plugin; none of the plugin's functions is called.  The exit status: 1 and a sentence
 * on stderr when the plugin is refused. */
int kd_describe_main(const char *path);

#endif
