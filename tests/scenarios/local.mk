# Scenarios run a real kilnd.
tap_scripts += \
	tests/scenarios/10-drop.sh \
	tests/scenarios/12-ready.sh \
	tests/scenarios/14-families.sh \
	tests/scenarios/15-explain.sh \
	tests/scenarios/16-archives.sh \
	tests/scenarios/18-layout.sh \
	tests/scenarios/20-bad-inputs.sh \
	tests/scenarios/30-kill.sh \
	tests/scenarios/40-reload.sh \
	tests/scenarios/50-idle.sh tests/scenarios/55-backlog.sh \
	tests/scenarios/60-model-changes.sh \
	tests/scenarios/65-roots.sh \
	tests/scenarios/70-attackers.sh \
	tests/scenarios/70-orders.sh \
	tests/scenarios/71-poison.sh \
	tests/scenarios/72-holds.sh \
	tests/scenarios/73-give.sh \
	tests/scenarios/74-retry.sh \
	tests/scenarios/75-fsync.sh \
	tests/scenarios/76-full.sh \
	tests/scenarios/77-leftovers.sh \
	tests/scenarios/78-fsyncs.sh \
	tests/scenarios/80-modes.sh \
	tests/scenarios/82-json.sh \
	tests/scenarios/90-systemd.sh \
	tests/scenarios/t_demo.sh
dist_check_SCRIPTS += tests/scenarios/kill-watches.py
EXTRA_DIST += tests/scenarios/sdboot.sh
