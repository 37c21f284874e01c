/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Configurations that are wrong, each with the place and the words that must be said.
 * A rule's case is what follows the four good lines below, so its own lines begin at 5.
 */
#include "daemon/rules/rule.h"
#include "tests/rules/fake.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define GOOD "[rule.a]\nwatch = \"/srv/in\"\noutput = \"/srv/out\"\nkernel = \"copy\"\n"

struct bad {
	const char *text;  /* of rules.d/a.toml, behind GOOD */
	const char *place; /* LINE:COLUMN in it */
	const char *said;
};

static const struct bad rules[] = {
	/* not TOML */
	{"match = [", "5:10", "array"},
	{"settle = \"2s\"\nsettle = \"3s\"", "6:10", "cannot redefine"},
	{"x = \"a\\u0000b\"", "5:5", "NUL"},
	/* unknown keys, with the nearest known one */
	{"settel = \"2s\"", "5:1", "unknown key \"settel\"; did you mean \"settle\"?"},
	{"wibblewobble = 1", "5:1", "unknown key \"wibblewobble\""},
	{"batch = { maxunits = 3 }", "5:11", "did you mean \"max_units\"?"},
	{"limits = { memory = \"1GiB\", walls = \"1s\" }", "5:29", "\"wall\"?"},
	{"retries = { maximum = 3 }", "5:13", "unknown key \"maximum\""},
	{"\"a\\tb\" = 1", "5:1", "unknown key \"a\\x09b\""},
	/* types */
	{"match = 3", "5:9", "match: expected a list of strings, found 3"},
	{"match = [\"*.a\", 3]", "5:17", "expected a string that is not empty, found 3"},
	{"match = []", "5:9", "at least one pattern"},
	{"match = [\"\"]", "5:10", "not empty"},
	{"match = [\"a/*.vmd\"]", "5:10", "without \"/\""},
	{"match = [\"*.vmd.kiln.json\"]", "5:10", "sidecars and stages are never taken"},
	{"match = \".kiln-stage\"", "5:9", "sidecars and stages are never taken"},
	{"recursive = \"yes\"", "5:13", "expected true or false, found \"yes\""},
	{"workers = 1.5", "5:11", "expected an integer from 1 to 256, found 1.5"},
	{"workers = 0", "5:11", "found 0"},
	{"workers = 257", "5:11", "found 257"},
	{"priority = -1001", "5:12", "from -1000 to 1000"},
	{"limits = 4", "5:10", "limits: expected a table, found 4"},
	{"params = []", "5:10", "params: expected a table, found a list"},
	{"idle = 1979-05-27", "5:8", "expected a duration"},
	/* units of measure */
	{"settle = 2", "5:10", "expected a duration such as"},
	{"settle = \"2\"", "5:10", "found \"2\""},
	{"settle = \"2 s\"", "5:10", "found \"2 s\""},
	{"settle = \"-2s\"", "5:10", "found \"-2s\""},
	{"settle = \"0x2s\"", "5:10", "found \"0x2s\""},
	{"settle = \"1.s\"", "5:10", "found \"1.s\""},
	{"settle = \"2d\"", "5:10", "from 0.05s to 86400s"},
	{"settle = \"99999999999999999999s\"", "5:10", "expected a duration"},
	{"low_water = \"5GiBs\"", "5:13", "expected a size such as"},
	{"limits = { memory = \"4gb\" }", "5:21", "memory: expected a size"},
	{"limits = { memory = \"1MiB\" }", "5:21", "from 67108864"},
	{"limits = { wall = \"none\" }", "5:19", "wall: expected a duration"},
	{"retries = { backoff = \"10s\" }", "5:23", "two durations"},
	{"retries = { backoff = \"10min..10s\" }", "5:23", "shorter duration first"},
	/* words */
	{"unit = \"fiel\"", "5:8", "found \"fiel\"; did you mean \"file\"?"},
	{"unit = 1", "5:8", "expected one of \"file\", \"directory\", \"sequence\""},
	{"layout = \"flatt\"", "5:10", "did you mean \"flat\"?"},
	{"collision = \"overwrite\"", "5:13", "expected one of \"version\", \"keep\""},
	{"same = \"never\"", "5:8", "expected one of \"skip\", \"run\""},
	{"ready = \"soon\"", "5:9", "expected \"quiet\", \"marker:NAME\""},
	{"ready = \"marker:\"", "5:9", "a name without \"/\""},
	{"ready = \"count:0\"", "5:9", "with N from 1"},
	{"ready = \"count:4x\"", "5:9", "with N from 1"},
	{"ready = \"count:41\"", "5:9", "only beside unit = \"directory\""},
	{"unit = \"bundle\"", "5:8", "expects the key \"match\" to name its main file"},
	{"unit = \"sequence\"\nready = \"rename\"", "6:9", "expected \"quiet\" beside"},
	{"unit = \"sequence\"\nsequence = { first = 2, last = 1 }", "6:1",
		"expected first at most last, found 2 and 1"},
	{"ready = \"marker:READY\"", "5:9", "a marker that begins with \".\""},
	{"device = \"gpu\"", "5:10", "expected \"auto\", \"cpu\", \"cuda\""},
	{"device = \"cuda:\"", "5:10", "numbered GPU"},
	{"needs = \"cuda\"", "5:9", "expected a list"},
	{"needs = [\"exec\"]", "5:10", "found \"exec\""},
	{"needs = [\"cudda\"]", "5:10", "did you mean \"cuda\"?"},
	{"mode = 644", "5:8", "octal string"},
	{"mode = \"0888\"", "5:8", "octal string"},
	{"mode = \"4755\"", "5:8", "from \"0400\" to \"0777\""},
	{"mode = \"0044\"", "5:8", "let their owner read"},
	{"group = \"no such group\"", "5:9", "a group of this machine"},
	{"inputs = \"move\"", "5:10", "\"move:DIR\""},
	{"inputs = \"move:done\"", "5:10", "absolute path"},
	{"batch = { by = \"regex:(\" }", "5:16", "regular expression"},
	{"batch = { by = \"regex:\" }", "5:16", "it is empty"},
	{"batch = { by = \"regex:(a)(b)\" }", "5:16", "at most one group (...)"},
	{"batch = { by = \"folder\" }", "5:16", "\"parent\", \"all\""},
	{"sequence = { gaps = \"wait:ever\" }", "5:21", "\"wait:DURATION\""},
	/* not built yet */
	{"unit = \"archive\"\nready = \"count:2\"", "6:9",
		"only beside unit = \"directory\""},
	{"sequence = { first = 1 }", "5:1", "only beside unit = \"sequence\""},
	{"archive = { depth = 3 }", "5:1", "only beside unit = \"archive\""},
	{"unit = \"archive\"\narchive = { entries = 0 }", "6:23", "from 1 to 100000"},
	{"unit = \"archive\"\narchive = { entries = 100001 }", "6:23", "found 100001"},
	{"unit = \"archive\"\narchive = { depth = 33 }", "6:21", "from 1 to 32"},
	{"unit = \"archive\"\narchive = { ratio = 1 }", "6:21", "from 2 to 10000"},
	{"unit = \"archive\"\narchive = { name = 256 }", "6:20", "from 1 to 255"},
	{"unit = \"archive\"\narchive = { bytes = \"1B\" }", "6:21", "bytes: expected"},
	{"unit = \"archive\"\narchive = { entrees = 9 }", "6:13",
		"did you mean \"entries\"?"},
	{"droppers = [7]", "5:13", "found 7"},
	{"executor = \"slurm\"", "5:12", "\"slurm\" is not built yet: use \"local\""},
	{"executor = \"ray\"", "5:12", "expected \"local\" or \"slurm\""},
	/* folders */
	{"quarantine = \"failed\"", "5:14", "absolute path"},
	{"quarantine = \"/srv/in/failed\"", "5:14", "outside watch (/srv/in)"},
	{"inputs = \"move:/srv/in//./done\"", "5:10", "found \"/srv/in/done\""},
	/* parameters */
	{"[rule.a.params]\nlevle = 3", "6:9", "found \"levle\"; did you mean \"level\"?"},
	{"[rule.a.params]\nlevel = \"3\"", "6:9",
		"level: expected an integer, found \"3\""},
	{"[rule.a.params]\nlevel = 10", "6:9", "an integer from 1 to 9 steps, found 10"},
	{"[rule.a.params]\nscale = nan", "5:9", "no nan"},
	{"[rule.a.params]\nscale = 3.0", "6:9", "a number from 0 to 2.5, found 3.0"},
	/* names */
	{"[rule.\"b/c\"]", "5:7", "letters, digits"},
	{"[rule.-b]", "5:7", "found \"-b\""},
	{"[rulez.b]", "5:2", "did you mean \"rule\"?"},
	{"[daemon]\nlog = \"info\"", "5:2",
		"unknown key \"daemon\" here; it belongs into kiln.toml"},
	/* in the wrong table */
	{"state = \"/s\"", "5:1",
		"unknown key \"state\" here; it belongs into [daemon] of kiln.toml"},
};

/* Whole files of rules.d: what the four good lines would be in the way of. */
static const struct bad files[] = {
	{"[rule]\na = 3", "2:1", "expected a rule: a table [rule.NAME], found 3"},
	{"kernel = \"copy\"", "1:1",
		"unknown key \"kernel\" here; it belongs into a rule, below [rule.NAME]"},
	{"threads = 3", "1:1",
		"unknown key \"threads\" here; it belongs into [daemon] of kiln.toml"},
	{"rule = 3", "1:8", "rule: expected a table, found 3"},
	{"[rule.a]\noutput = \"/o\"\nkernel = \"copy\"", "1:7",
		"lacks the key \"watch\""},
	{"[rule.a]\nwatch = \"/i\"\nkernel = \"copy\"", "1:7",
		"lacks the key \"output\""},
	{"[rule.a]\nwatch = \"/i\"\noutput = \"/o\"", "1:7", "lacks the key \"kernel\""},
	{"[rule.a]\nwatch = \"in\"", "2:9", "absolute path of a folder below \"/\""},
	{"[rule.a]\nwatch = \"/\"", "2:9", "found \"/\""},
	{"[rule.a]\nwatch = \"/a/../b\"", "2:9", "without \"..\""},
	{"[rule.a]\nwatch = 1", "2:9", "found 1"},
	{"[rule.a]\nwatch = \"/i\"\noutput = \"/o\"\nkernel = \"cpoy\"", "4:10",
		"found \"cpoy\"; did you mean \"copy\"?"},
	{"[rule.a]\nwatch = \"/i\"\noutput = \"/o\"\nkernel = 3", "4:10", "of the 4"},
	{"[rule.a]\nwatch = \"/i\"\noutput = \"/i/o\"\nkernel = \"copy\"", "3:10",
		"outside watch (/i), found \"/i/o\""},
	{"[rule.a]\nwatch = \"/i/o\"\noutput = \"/i\"\nkernel = \"copy\"", "2:9",
		"outside output (/i), found \"/i/o\""},
	{"[rule.a]\nwatch = \"/i\"\noutput = \"/i/\"\nkernel = \"copy\"", "3:10",
		"outside"},
	{"[rule.a]\nwatch = \"/i\"\noutput = \"/o\"\nkernel = \"vmd-fk\"", "1:7",
		"requires the parameter \"model\": The model."},
	{"[rule.a]\nwatch = \"/i\"\noutput = \"/o\"\nkernel = "
	 "\"vmd-fk\"\n[rule.a.params]",
		"5:9", "requires the parameter \"model\""},
	{"[rule.a]\nwatch = \"/i\"\noutput = \"/o\"\nkernel = \"vmd-fk\"\nunit = "
	 "\"directory\"",
		"5:8", "kernel \"vmd-fk\" accepts (\"file\"), found \"directory\""},
	{"[rule.a]\nwatch = \"/i\"\noutput = \"/o\"\nkernel = \"starter\"", "4:10",
		"\"exec\"), which is not built yet"},
	{"[rule.a]\nwatch = \"/i\"\noutput = \"/o\"\nkernel = \"gpu-copy\"", "1:7",
		"cannot do without \"cuda\", \"jit\""},
	{"[rule.a]\nwatch = \"/i\"\noutput = \"/o\"\nkernel = \"gpu-copy\"\n"
	 "needs = [\"cuda\"]",
		"5:9", "cannot do without \"jit\""},
	{"[rule.a]\nwatch = \"/i\"\noutput = \"/o\"\nkernel = "
	 "\"vmd-fk\"\n[rule.a.params]\n"
	 "model = \"m\"\nencoding = \"cp93\"",
		"7:12", "did you mean \"cp932\"?"},
	{"[rule.a]\nwatch = \"/i\"\noutput = \"/o\"\nkernel = "
	 "\"vmd-fk\"\n[rule.a.params]\n"
	 "model = \"m\"\nbones = [1]",
		"7:9", "strings in the list, found 1"},
	/* a circle of two, and one of three with a rule outside of it */
	{GOOD "[rule.b]\nwatch = \"/srv/out/x\"\noutput = \"/srv/in/y\"\nkernel = "
	      "\"copy\"",
		"1:7", "in a circle: a -> b -> a"},
	{GOOD "[rule.b]\nwatch = \"/srv/out\"\noutput = \"/c\"\nkernel = \"copy\"\n"
	      "[rule.c]\nwatch = \"/c\"\noutput = \"/d\"\nkernel = \"copy\"\n"
	      "[rule.d]\nwatch = \"/d\"\noutput = \"/srv/out\"\nkernel = \"copy\"",
		"5:7", "in a circle: b -> c -> d -> b"},
	/* by way of what is done */
	{GOOD "inputs = \"move:/b\"\n[rule.b]\nwatch = \"/b\"\noutput = \"/srv/in\"\n"
	      "kernel = \"copy\"",
		"1:7", "in a circle: a -> b -> a"},
	{"[rule.a]\nwatch = \"/state\"\noutput = \"/o\"\nkernel = \"copy\"", "1:7",
		"apart from kilnd's state (/state)"},
	{"[rule.a]\nwatch = \"/i\"\noutput = \"/state/o\"\nkernel = \"copy\"", "1:7",
		"apart from kilnd's state"},
};

/* kiln.toml itself. */
static const struct bad mains[] = {
	{"[deamon]", "1:2", "did you mean \"daemon\"?"},
	{"daemon = 1", "1:10", "expected a table"},
	{"[daemon]\nstate = \"var\"", "2:9", "absolute path"},
	{"[daemon]\nlog = \"loud\"", "2:7", "expected one of \"error\""},
	{"[daemon]\nworkers = 0", "2:11", "from 1 to 256"},
	{"[daemon]\nthreads = \"all\"", "2:11", "from 1 to 1024"},
	{"[daemon]\nplugins = [\"lib\"]", "2:12", "absolute path"},
	{"[daemon]\nadmins = [7]", "2:11", "found 7"},
	{"[daemon]\ngpu_slots = 0", "2:13", "from 1 to 256"},
	{"[daemon]\nkeep = \"59min\"", "2:8", "expected a duration of at least \"1h\""},
	{"[daemon]\nkeep = 90", "2:8", "or \"forever\", found 90"},
	{"[daemon]\nrulez = \"r\"", "2:1", "did you mean \"rules\"?"},
	{"workers = 2", "1:1", "\"workers\" here; it belongs into [daemon] of kiln.toml"},
	{"log = \"info\"\n[daemon]", "1:1", "it belongs into [daemon] of kiln.toml"},
	{"watch = \"/i\"", "1:1", "\"watch\" here; it belongs into a rule, below "},
	{"[daemon]\nsettle = \"2s\"", "2:1", "it belongs into a rule, below [rule.NAME]"},
};

/* Cases that went wrong: all are shown before the test fails. */
static int wrong;

static void
expect_refusal(const struct bad *bad, const char *file)
{
	char main_file[PATH_MAX], place[PATH_MAX + 64];
	struct kd_err err = {0, ""};
	struct kd_conf *conf = NULL;
	snprintf(main_file, sizeof main_file, "%s/kiln.toml", fake.folder);
	snprintf(place, sizeof place, "%s/%s:%s: ", fake.folder, file, bad->place);
	struct kd_conf_options options = {.file = main_file, .state = "/state"};
	int code = kd_conf_load(&options, &conf, &err);
	if (code >= 0 || strncmp(err.text, place, strlen(place)) != 0 ||
		strstr(err.text, bad->said) == NULL)
		wrong++, print_error("of:\n%s\nexpected:\n%s... %s\nfound (%d):\n%s\n\n",
				 bad->text, place, bad->said, code, err.text);
	else
		assert_int_equal(err.code, code);
	kd_conf_unref(conf);
}

static void
rules_that_are_wrong_are_refused_at_their_place(void **state)
{
	(void)state;
	char text[2000];
	wrong = 0;
	fake_write("kiln.toml", "");
	for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
		snprintf(text, sizeof text, "%s%s", GOOD, rules[i].text);
		fake_write("rules.d/a.toml", text);
		expect_refusal(&rules[i], "rules.d/a.toml");
	}
	assert_int_equal(wrong, 0);
}

static void
files_that_are_wrong_are_refused(void **state)
{
	(void)state;
	wrong = 0;
	fake_write("kiln.toml", "");
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		fake_write("rules.d/a.toml", files[i].text);
		expect_refusal(&files[i], "rules.d/a.toml");
	}
	assert_int_equal(wrong, 0);
}

static void
a_main_file_that_is_wrong_is_refused(void **state)
{
	(void)state;
	wrong = 0;
	fake_write("rules.d/a.toml", GOOD);
	for (size_t i = 0; i < sizeof mains / sizeof mains[0]; i++) {
		fake_write("kiln.toml", mains[i].text);
		expect_refusal(&mains[i], "kiln.toml");
	}
	assert_int_equal(wrong, 0);
}

/* The same rule in two files: both places are named. */
static void
what_is_said_twice_is_refused(void **state)
{
	(void)state;
	wrong = 0;
	struct bad bad = {GOOD, "1:7", "rule \"a\" is already defined at "};
	fake_write("kiln.toml", "");
	fake_write("rules.d/a.toml", GOOD);
	fake_write("rules.d/b.toml", GOOD);
	expect_refusal(&bad, "rules.d/b.toml");
	bad.said = "/rules.d/a.toml:1:7";
	expect_refusal(&bad, "rules.d/b.toml");
	fake_write("rules.d/b.toml", "");
	assert_int_equal(wrong, 0);
}

/* A parameter that must be there when asked for. */
static void
a_path_that_is_missing_is_refused(void **state)
{
	(void)state;
	char file[PATH_MAX];
	struct kd_err err = {0, ""};
	struct kd_conf *conf = NULL;
	snprintf(file, sizeof file, "%s/kiln.toml", fake.folder);
	fake_write("kiln.toml", "");
	fake_write("rules.d/a.toml",
		"[rule.a]\nwatch = \"/i\"\noutput = \"/o\"\nkernel = \"vmd-fk\"\n"
		"[rule.a.params]\nmodel = \"m.pmx\"\n");
	struct kd_conf_options options = {.file = file, .check_paths = 1};
	assert_int_equal(kd_conf_load(&options, &conf, &err), -ENOENT);
	assert_non_null(strstr(err.text, "a.toml:6:9: parameter model: expected a path"));
	assert_non_null(strstr(err.text, "/rules.d/m.pmx\""));
	options.check_paths = 0;
	assert_int_equal(kd_conf_load(&options, &conf, &err), 0);
	kd_conf_unref(conf);
}

/* What is no configuration at all. */
static void
a_file_that_is_missing_is_refused(void **state)
{
	(void)state;
	struct kd_err err = {0, ""};
	struct kd_conf *conf = NULL;
	struct kd_conf_options options = {.file = "/nowhere/kiln.toml"};
	assert_int_equal(kd_conf_load(&options, &conf, &err), -ENOENT);
	assert_non_null(strstr(err.text, "cannot open \"/nowhere/kiln.toml\""));
	options.file = fake.folder;
	assert_int_equal(kd_conf_load(&options, &conf, &err), -EINVAL);
	assert_non_null(strstr(err.text, "expected a regular file"));
	char file[PATH_MAX];
	snprintf(file, sizeof file, "%s/kiln.toml", fake.folder);
	fake_write("kiln.toml", "[daemon]\nrules = \"nowhere\"");
	options.file = file;
	assert_int_equal(kd_conf_load(&options, &conf, &err), -ENOENT);
	assert_non_null(strstr(err.text, "rules: cannot read the folder"));
	assert_null(conf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_that_are_wrong_are_refused_at_their_place),
		cmocka_unit_test(files_that_are_wrong_are_refused),
		cmocka_unit_test(a_main_file_that_is_wrong_is_refused),
		cmocka_unit_test(what_is_said_twice_is_refused),
		cmocka_unit_test(a_path_that_is_missing_is_refused),
		cmocka_unit_test(a_file_that_is_missing_is_refused),
	};
	return cmocka_run_group_tests_name(
		"rules/refused", tests, fake_set_up, fake_tear_down);
}
